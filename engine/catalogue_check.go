package engine

import "fmt"

// checkRecord says what is wrong with a record of the catalogue, read by a check of the whole store.
func (c *catalogue) checkRecord(key, rec []byte) error {
	var err error
	switch {
	case len(key) == 0:
		err = formatError("empty key")
	case key[0] == keyMeta:
		_, err = decodeCounts(rec)
	case key[0] == keyPolicy:
		_, err = decodePolicy(rec)
	case key[0] == keyRule:
		_, err = decodeRule(string(key[1:]), rec)
	case key[0] == keyResource:
		_, err = decodeResource(0, rec)
	case key[0] == keyMetric:
		_, err = decodeMetric(0, rec, c.policies.Load())
	case key[0] == keyResourceID || key[0] == keyMetricID:
		if len(key) != 17 || len(rec) != 4 {
			err = formatError(fmt.Sprintf("an id of %d bytes stands for %d bytes, want 16 for 4", len(key)-1, len(rec)))
		}
	case key[0] == keyIndex:
		err = c.ix.CheckEntry(key, rec)
	}
	if err != nil {
		return corruptRecord(key, err)
	}
	return nil
}
