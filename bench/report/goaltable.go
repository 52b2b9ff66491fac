package report

import (
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/telemetrydb/tsdb/bench/results"
)

// GoalTable sets figures beside their goals: whose figure the peer's is and whether it was measured in this run, what was asked, ours, by what
// factor ours is better than the peer's, and whether the goal is met.
func GoalTable(goals []results.Goal) table.Writer {
	t := table.NewWriter()
	t.AppendHeader(table.Row{"what", "peer", "theirs", "goal", "ours", "better by", "met", "stretch", "notes"})
	for i := range goals {
		g := &goals[i]
		t.AppendRow(table.Row{g.What, peerOf(g), optional(g.PeerIs, g.Unit), limitOf(g, g.Limit), Number(g.Value, g.Unit), advantage(g), verdictOf(g),
			stretchOf(g), g.Note})
	}
	return t
}

func peerOf(g *results.Goal) string {
	switch {
	case g.Peer == "":
		return "-"
	case g.Recorded:
		return g.Peer + ", recorded"
	}
	return g.Peer + ", this run"
}

func optional(v *float64, unit string) string {
	if v == nil {
		return "-"
	}
	return Number(*v, unit)
}

func limitOf(g *results.Goal, limit *float64) string {
	switch {
	case limit == nil:
		return "-"
	case g.AtLeast:
		return "≥ " + Number(*limit, g.Unit)
	}
	return "≤ " + Number(*limit, g.Unit)
}

func verdictOf(g *results.Goal) string {
	switch met, has := g.Met(); {
	case !has:
		return "-"
	case met:
		return "yes"
	}
	return "NO"
}

func stretchOf(g *results.Goal) string {
	further := *g
	further.Limit = g.Stretch
	switch met, has := further.Met(); {
	case !has:
		return "-"
	case met:
		return limitOf(g, g.Stretch) + ": yes"
	}
	return limitOf(g, g.Stretch) + ": no"
}

// better is how many times as good as the peer's ours is; 0: unknown.
func better(g *results.Goal) float64 {
	switch {
	case g.PeerIs == nil || *g.PeerIs <= 0 || g.Value <= 0:
		return 0
	case g.AtLeast:
		return g.Value / *g.PeerIs
	}
	return *g.PeerIs / g.Value
}

func advantage(g *results.Goal) string {
	b := better(g)
	if b == 0 {
		return "-"
	}
	return fmt.Sprintf("%s×", digits(round3(b)))
}
