package engine

import (
	"maps"
	"slices"

	"github.com/telemetrydb/tsdb/index"
)

// Resource types in a transaction.

// CreateResourceType stores t. ErrExists: the name is taken. ErrInvalid: an attribute breaks the rules of its fields.
func (tx *Tx) CreateResourceType(t ResourceType) error {
	if err := t.check(); err != nil {
		return err
	}
	if tx.types()[t.Name] != nil {
		return &Error{Kind: KindResourceType, Name: t.Name, Err: ErrExists}
	}
	return tx.putType(t)
}

func (tx *Tx) putType(t ResourceType) error {
	t = t.export()
	tx.changeTypes()[t.Name] = &t
	return tx.batch.Set(append([]byte{keyResourceType}, t.Name...), appendResourceType(nil, &t), nil)
}

// UpdateResourceType gives the type of t's name the attributes of t. Attributes that are gone are taken from all its resources and
// from their past states; fill has values for those that have none of an attribute that is new or defined otherwise now.
// That is one step, and its cost is that of writing these resources anew. No revision is made.
//
// ErrNotFound. ErrUnsupported: an attribute's type differs. ErrInvalid: a definition breaks the rules; a required attribute that is
// new or defined otherwise has no fill, or one that does not fit. ErrInUse: the type is generic.
func (tx *Tx) UpdateResourceType(t ResourceType, fill map[string]index.Value) error {
	old, err := tx.types().get(t.Name)
	if err != nil {
		return err
	}
	if t.Name == genericType {
		return &Error{Kind: KindResourceType, Name: t.Name, Err: ErrInUse}
	}
	if err := t.check(); err != nil {
		return err
	}
	var gone []string
	for _, a := range old.Attributes {
		if _, ok := t.Attribute(a.Name); !ok && !a.shadowed() {
			gone = append(gone, a.Name)
		}
	}
	fill, err = t.checkFill(old, fill)
	if err != nil {
		return err
	}
	if err := tx.rewriteType(t.Name, gone, fill); err != nil {
		return err
	}
	return tx.putType(t)
}

// checkFill returns what of fill counts.
func (t *ResourceType) checkFill(old *ResourceType, fill map[string]index.Value) (map[string]index.Value, error) {
	failed := func(err error, detail string) (map[string]index.Value, error) {
		return nil, &Error{Kind: KindResourceType, Name: t.Name, Err: err, Detail: detail}
	}
	counts := make(map[string]index.Value)
	for _, a := range t.Attributes {
		was, ok := old.Attribute(a.Name)
		switch {
		case ok && was.Type != a.Type:
			return failed(ErrUnsupported, "type of attribute "+a.Name)
		case ok && sameAttribute(was, a):
			continue
		}
		v := fill[a.Name]
		if v.Kind == index.Null {
			if a.Required {
				return failed(ErrInvalid, "Option 'fill' of resource attribute "+a.Name+" is invalid: must not be empty if required=True")
			}
			continue
		}
		if fault := a.Fits(v); fault != "" {
			return failed(ErrInvalid, "Option 'fill' of resource attribute "+a.Name+" is invalid: it "+fault)
		}
		if !a.shadowed() {
			counts[a.Name] = v
		}
	}
	return counts, nil
}

// rewriteType takes attributes from resources of a type and their past states, and fills others in.
func (tx *Tx) rewriteType(name string, gone []string, fill map[string]index.Value) error {
	if len(gone)+len(fill) == 0 {
		return nil
	}
	affected := &index.Filter{Op: index.Or}
	for _, a := range gone {
		affected.Subs = append(affected.Subs, &index.Filter{Op: index.Ne, Field: a})
	}
	for a := range fill {
		affected.Subs = append(affected.Subs, &index.Filter{Op: index.Eq, Field: a})
	}
	f := &index.Filter{Op: index.And, Subs: []*index.Filter{{Op: index.Eq, Field: fieldType, Value: textValue(name)}, affected}}
	present, err := tx.eval(spaceResources, f)
	if err != nil {
		return err
	}
	for it := present.Iterator(); it.HasNext(); {
		if _, err := tx.ownResourceAt(it.Next()); err != nil {
			return err
		}
	}
	past, err := tx.eval(spaceRevisions, f)
	if err != nil {
		return err
	}
	for it := past.Iterator(); it.HasNext(); {
		if _, err := tx.ownRevision(it.Next()); err != nil {
			return err
		}
	}
	rewrite := func(r *resource) {
		if r == nil || r.Type != name {
			return
		}
		for _, a := range gone {
			delete(r.Attributes, a)
		}
		for a, v := range fill {
			if _, ok := r.Attributes[a]; !ok {
				r.Attributes[a] = v
			}
		}
	}
	for _, c := range tx.resources {
		rewrite(c.now)
	}
	for _, c := range tx.revisions {
		rewrite(c.now)
	}
	return nil
}

// ownResourceAt returns the stored resource at the ordinal for changing; nil: the transaction has deleted it, and perhaps made
// another one of its id.
func (tx *Tx) ownResourceAt(ord uint32) (*resource, error) {
	r, ok := tx.cat.byOrdinal.get(ord)
	if !ok {
		var err error
		r, err = readResource(tx.cat.p, ord)
		if err == nil && r == nil {
			err = corruptRecord(ordinalKey(keyResource, ord), formatError("missing record of a resource"))
		}
		if err != nil {
			return nil, err
		}
	}
	c := tx.resources[r.ID]
	if c == nil {
		c = &resourceChange{old: r, now: newResource(ord, &r.Resource, slices.Clone(r.metrics))}
		tx.resources[r.ID] = c
	}
	if c.now == nil || c.now.ord != ord {
		return nil, nil
	}
	return c.now, nil
}

// DeleteResourceType removes it. ErrNotFound. ErrInUse: there are resources of it, or it is generic.
func (tx *Tx) DeleteResourceType(name string) error {
	if _, err := tx.types().get(name); err != nil {
		return err
	}
	used := name == genericType
	if !used {
		set, err := tx.posting(spaceResources, fieldType, textValue(name))
		if err != nil {
			return err
		}
		n := int(set.GetCardinality())
		for _, c := range tx.resources {
			if c.old != nil && c.old.Type == name {
				n--
			}
			if c.now != nil && c.now.Type == name {
				n++
			}
		}
		used = n > 0
	}
	if used {
		return &Error{Kind: KindResourceType, Name: name, Err: ErrInUse}
	}
	delete(tx.changeTypes(), name)
	return tx.batch.Delete(append([]byte{keyResourceType}, name...), nil)
}

// ResourceType returns the type. ErrNotFound.
func (tx *Tx) ResourceType(name string) (ResourceType, error) {
	t, err := tx.types().get(name)
	if err != nil {
		return ResourceType{}, err
	}
	return t.export(), nil
}

func (tx *Tx) types() typeSet {
	if tx.newTypes != nil {
		return tx.newTypes
	}
	return *tx.cat.types.Load()
}

// changeTypes returns the transaction's own copy.
func (tx *Tx) changeTypes() typeSet {
	if tx.newTypes == nil {
		tx.newTypes = maps.Clone(*tx.cat.types.Load())
	}
	return tx.newTypes
}

// DeleteResources deletes the resources that the filter selects and their metrics, and returns how many there were. The filter
// looks at what was before the transaction.
func (tx *Tx) DeleteResources(f *index.Filter) (int, error) {
	if err := checkFields(Query{Filter: f}, nil); err != nil {
		return 0, err
	}
	set, err := tx.eval(spaceResources, f)
	if err != nil {
		return 0, err
	}
	n := 0
	for it := set.Iterator(); it.HasNext(); {
		r, err := tx.ownResourceAt(it.Next())
		if err == nil && r != nil {
			n++
			err = tx.DeleteResource(r.ID)
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
