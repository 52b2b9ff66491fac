package engine

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/telemetrydb/tsdb/rollup"
)

// A plan is an archive policy as the sample path uses it. It never changes.
type plan struct {
	widths  []int64 // of the granularities, nanoseconds, ascending
	keep    []int64 // timespan per width; 0: for ever
	derived []bool  // per width: points of one sample each may be read from the raw samples
	methods []rollup.Method
	hasRate bool
	before  bool  // some method needs the sample before a group: rates and counters
	nested  bool  // every width divides the coarsest: no group straddles the window's edge
	coarse  int64 // the coarsest width
	window  int64 // how far before the newest sample's coarsest group samples are still taken
	raw     int64 // how long raw samples are shown: 0 not at all, -1 for ever
	keepAll bool  // ArchivePolicy.KeepAll
	rawKeep int64 // how long raw blocks are kept: raw, or longer where derived widths need it; -1 for ever
}

func newPlan(p *ArchivePolicy) *plan {
	pl := &plan{methods: slices.Clone(p.Methods), raw: int64(p.Raw), keepAll: p.KeepAll}
	defs := slices.Clone(p.Definition)
	slices.SortFunc(defs, func(a, b Granularity) int { return int(min(1, max(-1, a.Width-b.Width))) })
	for _, m := range p.Methods {
		pl.hasRate = pl.hasRate || m.Rate()
		pl.before = pl.before || m.NeedsBefore()
	}
	pl.rawKeep = cmp.Or(int64(p.rawKeep), pl.raw)
	for _, d := range defs {
		pl.widths = append(pl.widths, int64(d.Width))
		pl.keep = append(pl.keep, int64(d.Timespan))
		// A derived width must not outlive the raw samples; rates and counters need a sample before the first one.
		der := !pl.before && (pl.rawKeep < 0 || pl.rawKeep > 0 && d.Timespan > 0 && int64(d.Timespan) <= pl.rawKeep)
		pl.derived = append(pl.derived, der)
	}
	pl.coarse = pl.widths[len(pl.widths)-1]
	pl.nested = true
	for _, w := range pl.widths {
		pl.nested = pl.nested && pl.coarse%w == 0
	}
	periods := int64(p.BackWindow)
	if pl.before {
		periods++
	}
	if pl.window = periods * pl.coarse; periods > 0 && pl.window/pl.coarse != periods {
		pl.window = math.MaxInt64 / 2
	}
	return pl
}

// keepDerived returns ArchivePolicy.rawKeep for a policy whose plan was pl before it got its present definition: points
// that are read from raw samples are to live as long as their width's new timespan.
func (pl *plan) keepDerived(p *ArchivePolicy) time.Duration {
	keep := p.Raw
	for _, d := range p.Definition {
		switch i := pl.width(int64(d.Width)); {
		case i < 0 || !pl.derived[i] || keep == RawForever:
		case d.Timespan == 0:
			keep = RawForever
		default:
			keep = max(keep, d.Timespan)
		}
	}
	if keep == p.Raw {
		return 0
	}
	return keep
}

// floor returns F for the newest sample at t: older samples are late (Gnocchi v1, back window).
func (pl *plan) floor(t int64) int64 { return rollup.Floor(t, pl.coarse) - pl.window }

// width returns the index of a granularity, -1 if the policy has none of it.
func (pl *plan) width(w int64) int { return slices.Index(pl.widths, w) }

// groupFloor is rollup.Floor for times that may lie before the epoch.
func groupFloor(t, width int64) int64 {
	if t < 0 {
		return -width * ((-t + width - 1) / width)
	}
	return t - t%width
}

// sealEnd returns where the sealed groups of a width end when everything before f is closed: a group that
// straddles f is still open. Before the first seal f is noTime, and so is the end.
func sealEnd(f, width int64) int64 {
	if f == noTime {
		return noTime
	}
	return groupFloor(f, width)
}

// tailStart returns where the tail must begin so that every open group can be computed from it.
func (pl *plan) tailStart(f int64) int64 {
	t := f
	for _, w := range pl.widths {
		t = min(t, sealEnd(f, w))
	}
	return t
}
