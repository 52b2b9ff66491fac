package main

import (
	"context"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/load"
	"github.com/shirou/gopsutil/v4/mem"
	"github.com/shirou/gopsutil/v4/net"
)

// sampleHost reads the host's counters and gauges. cpu.percent is the share of time that all processors were busy
// since the last call (since the program began at the first); cpu.*_seconds, network.*_bytes and network.*_packets only grow.
func sampleHost(ctx context.Context) ([]reading, error) {
	var out []reading
	add := func(metric string, v float64) { out = append(out, reading{metric, v}) }

	busy, err := cpu.PercentWithContext(ctx, 0, false)
	if err != nil {
		return nil, err
	}
	for _, v := range busy {
		add("cpu.percent", v)
	}
	times, err := cpu.TimesWithContext(ctx, false)
	if err != nil {
		return nil, err
	}
	for _, t := range times {
		add("cpu.user_seconds", t.User)
		add("cpu.system_seconds", t.System)
		add("cpu.idle_seconds", t.Idle)
		add("cpu.iowait_seconds", t.Iowait)
	}

	m, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return nil, err
	}
	add("memory.used_bytes", float64(m.Used))
	add("memory.available_bytes", float64(m.Available))
	add("memory.used_percent", m.UsedPercent)

	l, err := load.AvgWithContext(ctx)
	if err != nil {
		return nil, err
	}
	add("load.1m", l.Load1)
	add("load.5m", l.Load5)
	add("load.15m", l.Load15)

	cards, err := net.IOCountersWithContext(ctx, false)
	if err != nil {
		return nil, err
	}
	for _, n := range cards {
		add("network.received_bytes", float64(n.BytesRecv))
		add("network.sent_bytes", float64(n.BytesSent))
		add("network.received_packets", float64(n.PacketsRecv))
		add("network.sent_packets", float64(n.PacketsSent))
	}
	return out, nil
}
