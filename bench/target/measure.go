package target

import (
	"os"
	"time"

	"github.com/telemetrydb/tsdb/bench/cost"
)

// spending is CPU seconds: of this process, and of the processes of a Server.
type spending struct{ self, server float64 }

func (s spending) all() float64 { return s.self + s.server }

// spent is what has been used so far. A server's part is that of its running processes and of what this process has started and seen end, so
// that closing a server counts too.
func (p *phase) spent() (s spending) {
	s.self = cost.CPUSeconds()
	if server, ok := p.engine.(Server); ok {
		s.server = cost.ChildrenCPUSeconds()
		for _, one := range processTree(server.Processes()) {
			s.server += one.cpu
		}
	}
	return s
}

// peakMiB is the most resident memory that the store's processes have had: this one's if it is linked in.
func (p *phase) peakMiB() (sum float64) {
	server, ok := p.engine.(Server)
	if !ok {
		return cost.PeakMiB(os.Getpid())
	}
	for _, one := range processTree(server.Processes()) {
		sum += cost.PeakMiB(one.pid)
	}
	return sum
}

// worker is who does a target's work.
type worker int

const (
	linkedIn  worker = iota
	ownServer        // processes that can be measured
	farServer        // others run it
)

func (p *phase) worker() worker {
	server, ok := p.engine.(Server)
	switch {
	case !ok:
		return linkedIn
	case len(server.Processes()) == 0:
		return farServer
	}
	return ownServer
}

// putPeak notes the most memory, if it can be known.
func (p *phase) putPeak() {
	if p.worker() != farServer {
		p.put("peak_mib", p.peakMiB())
	}
}

// stopwatch takes wall and CPU time.
type stopwatch struct {
	phase *phase
	start time.Time
	cpu   spending
}

func (p *phase) watch() stopwatch { return stopwatch{p, time.Now(), p.spent()} }

func (w stopwatch) wall() float64 { return time.Since(w.start).Seconds() }

func (w stopwatch) used() spending {
	now := w.phase.spent()
	return spending{now.self - w.cpu.self, max(0, now.server-w.cpu.server)}
}
