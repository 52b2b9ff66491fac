package scale

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"

	"github.com/telemetrydb/tsdb/bench/cost"
	"github.com/telemetrydb/tsdb/engine"
)

const updateResources = 200 // in one Update

// create makes the catalogue, and a file of the metrics' refs beside the store.
func (p *phase) create() error {
	db, err := p.openDB()
	if err != nil {
		return err
	}
	w := cost.Start()
	err = db.Update(p.ctx, func(tx *engine.Tx) error {
		return errors.Join(tx.CreateArchivePolicy(policy(p.width())), tx.CreateResourceType(instance()))
	})
	var refs []byte
	resources := p.Metrics / kinds
	for i := 0; i < resources && err == nil; i += updateResources {
		err = db.Update(p.ctx, func(tx *engine.Tx) (err error) {
			for j := i; j < min(i+updateResources, resources) && err == nil; j++ {
				refs, err = p.createResource(tx, refs, j)
			}
			return err
		})
	}
	if err != nil {
		return err
	}
	p.out["s"], p.out["CPU s"] = w.Wall(), w.Used()
	p.out["written"] = float64(db.Stats().WrittenBytes)
	if err := db.Close(); err != nil {
		return err
	}
	p.out["bytes"] = float64(cost.TreeBytes(p.store()))
	return os.WriteFile(filepath.Join(p.Dir, "refs"), refs, 0o644)
}

func (p *phase) createResource(tx *engine.Tx, refs []byte, i int) ([]byte, error) {
	r := resource(i, p.Metrics/kinds, i%p.stride() == 0)
	if err := tx.CreateResource(r); err != nil {
		return refs, err
	}
	unit := "B"
	for k := range kinds {
		m, err := tx.CreateMetric(engine.Metric{Name: &kindNames[k], Unit: &unit, Creator: r.Creator, Policy: policyName, Resource: &r.ID})
		if err != nil {
			return refs, err
		}
		refs = binary.LittleEndian.AppendUint32(refs, uint32(m.Ref))
	}
	return refs, nil
}
