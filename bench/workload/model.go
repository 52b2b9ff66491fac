package workload

// model makes the values of one resource. step advances by one period of seconds and fills values, one a metric in the
// order of the resource's metric list.
type model interface {
	step(period int64, values []float64)
}

// Metric describes a series of a resource.
type Metric struct {
	Name string
	Unit string
	// Integer is true when every value is a whole number and printed without a fraction.
	Integer bool
}

func clamp(v, lo, hi int64) int64 { return max(lo, min(v, hi)) }

var vmMetrics = []Metric{
	{"cpu", "ns", true},
	{"cpu_util", "%", false},
	{"vcpus", "vcpu", true},
	{"memory", "MB", true},
	{"memory.usage", "MB", false},
	{"memory.resident", "MB", true},
	{"disk.read.bytes", "B", true},
	{"disk.write.bytes", "B", true},
	{"disk.read.requests", "request", true},
	{"disk.write.requests", "request", true},
	{"disk.read.bytes.rate", "B/s", false},
	{"disk.write.bytes.rate", "B/s", false},
	{"disk.read.requests.rate", "request/s", false},
	{"disk.write.requests.rate", "request/s", false},
	{"disk.root.size", "GB", true},
	{"disk.ephemeral.size", "GB", true},
	{"disk.capacity", "B", true},
	{"disk.allocation", "B", true},
	{"disk.usage", "B", true},
	{"network.incoming.bytes", "B", true},
	{"network.outgoing.bytes", "B", true},
	{"network.incoming.packets", "packet", true},
	{"network.outgoing.packets", "packet", true},
	{"network.incoming.bytes.rate", "B/s", false},
	{"network.outgoing.bytes.rate", "B/s", false},
	{"network.incoming.packets.rate", "packet/s", false},
	{"network.outgoing.packets.rate", "packet/s", false},
	{"power.state", "state", true},
}

// traffic holds cumulative byte and packet counters of both directions.
type traffic struct{ inBytes, outBytes, inPackets, outPackets int64 }

func (t *traffic) add(d traffic) {
	t.inBytes += d.inBytes
	t.outBytes += d.outBytes
	t.inPackets += d.inPackets
	t.outPackets += d.outPackets
}

// virtualMachine wanders around a load that jumps now and then; all other activity follows the load.
type virtualMachine struct {
	random                  random
	vcpus, memoryMB, diskGB int64

	load, target               int64 // millionths of one core
	memoryKB, residentMB       int64
	allocated                  int64
	cpuNanos                   int64
	readBytes, writtenBytes    int64
	readRequests, writeRequest int64
	net                        traffic
}

func newVM(key string, f flavor) *virtualMachine {
	return &virtualMachine{
		random: newRandom(key), vcpus: f.vcpus, memoryMB: f.memoryMB, diskGB: f.diskGB,
		load: 200_000, target: 200_000,
		memoryKB: f.memoryMB * 512, residentMB: f.memoryMB * 6 / 10, allocated: f.diskGB << 28,
	}
}

// step keeps the order of draws that the workload's definition fixes: a draw moved is another workload.
func (m *virtualMachine) step(period int64, values []float64) {
	r := &m.random
	if r.below(300) == 0 {
		m.target = 20_000 + r.below(900_000)
	}
	m.load = clamp(m.load+((m.target-m.load)>>4)+r.below(20_001)-10_000, 5_000, 1_000_000)
	micros := period*1_000_000 + r.below(4_001) - 2_000
	cpu := m.load * m.vcpus * micros / 1_000
	readRequests := int64(0)
	if r.below(10) < 3 {
		readRequests = r.below(40) * period
	}
	readBytes := readRequests * 4_096 * (1 + r.below(8))
	writeRequests := int64(0)
	if r.below(10) < 8 {
		writeRequests = (1 + r.below(60)) * period
	}
	writtenBytes := writeRequests * 4_096 * (1 + r.below(4))
	var net traffic
	net.inPackets = m.load * (20 + r.below(200)) / 100_000 * period
	net.inBytes = net.inPackets * (60 + r.below(1_200))
	net.outPackets = m.load * (20 + r.below(150)) / 100_000 * period
	net.outBytes = net.outPackets * (60 + r.below(900))
	m.stepMemory(r)

	m.cpuNanos += cpu
	m.readRequests += readRequests
	m.readBytes += readBytes
	m.writeRequest += writeRequests
	m.writtenBytes += writtenBytes
	m.net.add(net)

	rate := func(d int64) float64 { return float64(d*1_000_000) / float64(micros) }
	m.fill(values)
	values[1] = float64(100*cpu) / float64(micros*1_000*m.vcpus)
	values[10], values[11] = rate(readBytes), rate(writtenBytes)
	values[12], values[13] = rate(readRequests), rate(writeRequests)
	values[23], values[24] = rate(net.inBytes), rate(net.outBytes)
	values[25], values[26] = rate(net.inPackets), rate(net.outPackets)
}

func (m *virtualMachine) stepMemory(r *random) {
	if r.below(4) == 0 {
		m.memoryKB = clamp(m.memoryKB+r.below(4_097)*4-8_192, m.memoryMB*102, m.memoryMB*972)
	}
	if r.below(60) == 0 {
		m.residentMB = clamp(m.residentMB+r.below(5)-2, 1, m.memoryMB)
	}
	if r.below(120) == 0 {
		m.allocated = min(m.allocated+65_536*r.below(64), m.diskGB<<30)
	}
}

// fill sets everything but the figures of this tick alone (utilisation and rates).
func (m *virtualMachine) fill(values []float64) {
	values[0] = float64(m.cpuNanos)
	values[2], values[3] = float64(m.vcpus), float64(m.memoryMB)
	values[4], values[5] = float64(m.memoryKB)/1024, float64(m.residentMB)
	values[6], values[7] = float64(m.readBytes), float64(m.writtenBytes)
	values[8], values[9] = float64(m.readRequests), float64(m.writeRequest)
	values[14], values[15], values[16] = float64(m.diskGB), 0, float64(m.diskGB<<30)
	values[17], values[18] = float64(m.allocated), float64(m.allocated)
	values[19], values[20] = float64(m.net.inBytes), float64(m.net.outBytes)
	values[21], values[22] = float64(m.net.inPackets), float64(m.net.outPackets)
	values[27] = 1
}

var balancerMetrics = []Metric{
	{"loadbalancer.operating", "status", true},
	{"loadbalancer.provisioning", "status", true},
	{"network.services.lb.member", "member", true},
	{"network.services.lb.total.connections", "connection", true},
	{"network.services.lb.active.connections", "connection", true},
	{"network.services.lb.incoming.bytes", "B", true},
	{"network.services.lb.outgoing.bytes", "B", true},
	{"network.services.lb.health_monitor", "health_monitor", true},
}

type loadBalancer struct {
	random                           random
	total, active, inBytes, outBytes int64
}

func newLoadBalancer(key string) *loadBalancer {
	return &loadBalancer{random: newRandom(key), active: 100}
}

func (m *loadBalancer) step(period int64, values []float64) {
	r := &m.random
	n := r.below(50) * period
	m.total += n
	m.active = clamp(m.active+r.below(21)-10, 0, 5_000)
	m.inBytes += n * (400 + r.below(2_000))
	m.outBytes += n * (2_000 + r.below(60_000))
	values[0], values[1], values[2] = 1, 1, 2
	values[3], values[4] = float64(m.total), float64(m.active)
	values[5], values[6] = float64(m.inBytes), float64(m.outBytes)
	values[7] = 1
}

var routerMetrics = []Metric{
	{"router", "router", true},
	{"bandwidth", "B", true},
	{"network.incoming.bytes", "B", true},
	{"network.outgoing.bytes", "B", true},
	{"network.incoming.packets", "packet", true},
	{"network.outgoing.packets", "packet", true},
}

type router struct {
	random random
	net    traffic
}

func newRouter(key string) *router { return &router{random: newRandom(key)} }

func (m *router) step(period int64, values []float64) {
	r := &m.random
	var net traffic
	net.inPackets = (100 + r.below(900)) * period
	net.inBytes = net.inPackets * (60 + r.below(1_200))
	net.outPackets = (100 + r.below(700)) * period
	net.outBytes = net.outPackets * (60 + r.below(900))
	m.net.add(net)
	values[0], values[1] = 1, float64(net.inBytes+net.outBytes)
	values[2], values[3] = float64(m.net.inBytes), float64(m.net.outBytes)
	values[4], values[5] = float64(m.net.inPackets), float64(m.net.outPackets)
}

// someOf makes the values of a model but keeps only the chosen metrics, in the order chosen.
type someOf struct {
	model  model
	keep   []int
	buffer []float64
}

func (m *someOf) step(period int64, values []float64) {
	m.model.step(period, m.buffer)
	for i, k := range m.keep {
		values[i] = m.buffer[k]
	}
}
