package engine

import (
	"errors"
	"fmt"
)

// checkRecord says what is wrong with a record of the catalogue, read by a check of the whole store.
func (c *catalogue) checkRecord(key, rec []byte) error {
	var err error
	switch {
	case len(key) == 0:
		err = formatError("empty key")
	case key[0] == keyMeta && len(key) == 2 && (key[1] == metaContexts || key[1] == metaEvents):
		_, err = decodeLastContext(rec)
	case key[0] == keyMeta && len(key) == 2 && key[1] == metaSampleKey:
		_, err = decodeSampleKey(rec)
	case key[0] == keyMeta && len(key) > 2 && key[1] == metaMark:
		_, err = decodeMark(rec)
	case key[0] == keyMeta:
		_, err = decodeCounts(rec)
	case key[0] == keyPolicy:
		_, err = decodePolicy(rec)
	case key[0] == keyRule:
		_, err = decodeRule(string(key[1:]), rec)
	case key[0] == keyResourceType:
		_, err = decodeResourceType(string(key[1:]), rec)
	case key[0] == keyResource:
		_, err = decodeResource(0, rec)
	case key[0] == keyRevision:
		_, err = decodeRevision(0, rec)
	case key[0] == keyMetric:
		_, err = decodeMetric(0, rec, c.policies.Load())
	case key[0] == keyResourceID || key[0] == keyMetricID:
		if err = formatError("key of an id"); len(key) == 17 {
			err = c.checkID(key[0], UUID(key[1:]))
		}
	case key[0] == keyContext:
		_, err = decodeContext(rec)
	case key[0] == keyContextHash:
		_, err = decodeLastContext(rec)
	case key[0] == keyContextUse:
		if len(key) != contextUseLen || len(rec) != 0 {
			err = formatError("use of a context")
		}
	case key[0] == keyMessageID:
		if len(key) != messageKeyLen || len(rec) != 0 {
			err = formatError("place of a message id")
		}
	case key[0] == keyIndex:
		err = c.ix.CheckEntry(key, rec)
	}
	if err != nil {
		return corruptRecord(key, err)
	}
	return nil
}

// checkID follows an id to its record.
func (c *catalogue) checkID(kind byte, id UUID) error {
	ord, err := ordinalOf(c.p, kind, id)
	if err != nil {
		return err
	}
	var there UUID
	if kind == keyResourceID {
		r, rerr := readResource(c.p, ord)
		if err = rerr; r != nil {
			there = r.ID
		}
	} else {
		m, merr := decodeStoredMetric(c.p, Ref(ord), c.policies.Load())
		if err = merr; m != nil {
			there = m.ID
		}
	}
	var damaged *CorruptError
	if errors.As(err, &damaged) {
		return nil // the record is reported itself
	}
	if err == nil && there != id {
		err = formatError(fmt.Sprintf("at ordinal %d there is %v", ord, there))
	}
	return err
}
