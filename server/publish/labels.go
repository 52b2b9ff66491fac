package publish

import (
	"math"
	"slices"
	"time"

	"github.com/telemetrydb/tsdb/server/samples"
)

// resourceKeys are the attributes that name the resource of a sample, the best first.
var resourceKeys = []string{"resource_id", "host.id", "service.instance.id", "host.name", "service.name"}

// labelled gives the sample its resource, named by the first of the keys that there is, its owner and its metadata: what is known of a point comes before what is known of all that
// it is among. Attributes whose key is there already are left out.
func labelled(s *samples.Sample, keys []string, own, shared []attribute) *Refusal {
	find := func(key string) *attribute {
		for _, list := range [][]attribute{own, shared} {
			if i := slices.IndexFunc(list, func(a attribute) bool { return a.key == key }); i >= 0 {
				return &list[i]
			}
		}
		return nil
	}
	resource := (*attribute)(nil)
	for _, key := range keys {
		if resource = find(key); resource != nil && resource.text != "" {
			break
		}
	}
	if resource == nil || resource.text == "" {
		return refuse(reasonResource, "no attribute names the resource")
	}
	s.ResourceID = resource.text
	for key, into := range map[string]**string{"user_id": &s.UserID, "project_id": &s.ProjectID} {
		// Ceilometer's prometheus publisher writes None where nobody is known.
		if a := find(key); a != nil && a.text != "" && a.text != "None" {
			*into = &a.text
		}
	}
	var b []byte
	seen := map[string]bool{"resource_id": true, "user_id": true, "project_id": true}
	for _, list := range [][]attribute{own, shared} {
		for _, a := range list {
			if seen[a.key] {
				continue
			}
			seen[a.key] = true
			if b == nil {
				b = append(b, '{')
			} else {
				b = append(b, ',')
			}
			if b = append(append(appendString(b, a.key), ':'), a.json...); len(b) >= maxMetadataBytes {
				return refuse(reasonMetadata, "the attributes have more than %d bytes", maxMetadataBytes-1)
			}
		}
	}
	if b != nil {
		s.Metadata = append(b, '}')
	}
	return nil
}

// checkSample refuses what the store has no place for.
func checkSample(s *samples.Sample) *Refusal {
	for _, x := range []struct {
		text, name string
		most       int
	}{{s.Meter, "meter's name", maxMeterChars}, {s.ResourceID, "resource id", maxResourceChars}, {s.Unit, "unit", maxTextChars}} {
		if bad := checkText(x.text, x.name, x.most); bad != nil {
			return bad
		}
	}
	for _, owner := range []*string{s.UserID, s.ProjectID} {
		if owner != nil {
			if bad := checkText(*owner, "owner", maxTextChars); bad != nil {
				return bad
			}
		}
	}
	if bad := checkMeter(s.Meter, s.Type); bad != nil {
		return bad
	}
	if math.IsNaN(s.Volume) || math.IsInf(s.Volume, 0) {
		return refuse(reasonVolume, "the value %v is not a finite number", s.Volume)
	}
	if len(s.Metadata) > maxMetadataBytes {
		return refuse(reasonMetadata, "the attributes have %d bytes, the most is %d", len(s.Metadata), maxMetadataBytes)
	}
	if s.Time < samples.MinTime || s.Time >= samples.MaxTime {
		return refuse(reasonTime, "the time %s is not of the years %d to %d", time.Unix(0, s.Time).UTC().Format(time.RFC3339), firstYear, lastYear)
	}
	return nil
}
