package gnocchi

import (
	"strings"

	"github.com/valyala/fastjson"
)

// patchOp is an operation of a JSON patch (RFC 6902): of the two that resource types take.
type patchOp struct {
	remove bool
	path   []string
	value  *fastjson.Value // nil: not given
}

// parseTypePatch reads the body that changes a resource type.
func parseTypePatch(v *fastjson.Value) ([]patchOp, error) {
	items, err := asList(v, nil)
	if err != nil {
		return nil, err
	}
	var ops []patchOp
	for i, item := range items {
		op, err := parsePatchOp(item, (*at)(nil).item(i))
		if err != nil {
			return nil, err
		}
		ops = append(ops, op)
	}
	return ops, nil
}

func parsePatchOp(v *fastjson.Value, p *at) (op patchOp, err error) {
	members, err := asObject(v, p)
	if err != nil {
		return op, err
	}
	has := map[string]bool{}
	for _, m := range members {
		here := p.member(m.key)
		has[m.key] = true
		switch m.key {
		case "op":
			name := text(m.value)
			if op.remove = name == "remove"; name != "add" && name != "remove" {
				err = invalid("not a valid value", here)
			}
		case "path":
			path := text(m.value)
			if op.path = strings.Split(path, "/"); !strings.HasPrefix(path, "/attributes") {
				err = invalid("not a valid value", here)
			}
		case "value":
			if op.value = m.value; m.value.Type() != fastjson.TypeObject {
				err = invalid("expected dict", here)
			}
		default:
			err = extraKey(here)
		}
		if err != nil {
			return op, err
		}
	}
	for _, name := range []string{"op", "path"} {
		if !has[name] {
			return op, missingKey(p.member(name))
		}
	}
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for i := range op.path {
		op.path[i] = unescape.Replace(op.path[i])
	}
	op.path = op.path[1:] // before the first slash there is nothing
	return op, nil
}

// applyJSONPatch applies the operations to a document, which is an object of objects.
func applyJSONPatch(doc []byte, ops []patchOp) (*fastjson.Value, error) {
	root, err := new(fastjson.Parser).ParseBytes(doc)
	if err != nil {
		return nil, err
	}
	for _, op := range ops {
		at := root
		last := op.path[len(op.path)-1]
		for _, name := range op.path[:len(op.path)-1] {
			next := at.Get(name)
			if next == nil || next.Type() != fastjson.TypeObject {
				return nil, badRequest("member '" + name + "' not found in " + string(at.MarshalTo(nil)))
			}
			at = next
		}
		switch {
		case op.remove && at.Get(last) == nil:
			return nil, badRequest("can't remove a non-existent object '" + last + "'")
		case op.remove:
			at.Del(last)
		case op.value == nil:
			return nil, badRequest("The operation does not contain a 'value' member")
		default:
			at.Set(last, op.value)
		}
	}
	return root, nil
}
