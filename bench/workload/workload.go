package workload

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"time"
)

// Start is the time of the first tick of both workloads, in seconds since the Unix epoch: 2026-01-01T00:00:00Z.
const Start int64 = 1_767_225_600

// Attribute is one name and value of a resource. They keep their order.
type Attribute struct{ Name, Value string }

// Resource is what the metrics belong to.
type Resource struct {
	ID, Type, Name    string
	ProjectID, UserID string
	Attributes        []Attribute
	Metrics           []Metric
}

// Workload is a set of resources and how long they are observed. Treat it as read only.
type Workload struct {
	Name      string
	Policy    string        // name of the archive policy that the definition asks for
	Period    time.Duration // time between ticks, whole seconds
	Ticks     int           // number of ticks of the full workload
	Resources []Resource

	newModel func(resource int) model
}

// Row is one resource at one tick.
type Row struct {
	Unix     int64     // seconds since the Unix epoch
	Resource int       // place in Workload.Resources
	Values   []float64 // one a metric, in the order of Resource.Metrics; valid until the next row
}

type flavor struct {
	name                    string
	vcpus, memoryMB, diskGB int64
}

var flavors = []flavor{
	{"m1.tiny", 1, 512, 1},
	{"m1.small", 1, 2_048, 20},
	{"m1.medium", 2, 4_096, 40},
	{"m1.large", 4, 8_192, 80},
	{"m1.xlarge", 8, 16_384, 160},
}

var cloudMetricNames = []string{
	"cpu", "cpu_util", "memory.usage", "disk.read.bytes", "disk.write.bytes", "disk.write.requests",
	"network.incoming.bytes", "network.outgoing.bytes", "network.incoming.packets", "network.outgoing.packets",
}

// A returns the seed workload. repetition, 0 to 65535, only changes the resource ids.
func A(repetition int) *Workload {
	makers := []func() model{
		func() model { return newVM("A/vm-1", flavors[2]) },
		func() model { return newVM("A/vm-2", flavors[3]) },
		func() model { return newLoadBalancer("A/lb-1") },
		func() model { return newRouter("A/router-1") },
	}
	id := func(n int) string { return fmt.Sprintf("5eed0001-%04x-4000-8000-%012x", repetition, n) }
	other := func(n int, kind, name string, metrics []Metric) Resource {
		return Resource{ID: id(n), Type: kind, Name: name, ProjectID: ProjectID(0), UserID: userID(0),
			Attributes: []Attribute{{"name", name}}, Metrics: metrics}
	}
	return &Workload{
		Name: "A", Policy: "1days_per_sec", Period: time.Second, Ticks: 19_800,
		Resources: []Resource{
			instance(id(1), 1, 2, 0, vmMetrics),
			instance(id(2), 2, 3, 0, vmMetrics),
			other(3, "loadbalancer", "lb-1", balancerMetrics),
			other(4, "router", "router-1", routerMetrics),
		},
		newModel: func(r int) model { return makers[r]() },
	}
}

// B returns the small cloud with that many instances (1,000 in the full workload).
func B(instances, repetition int) *Workload {
	keep := make([]int, len(cloudMetricNames))
	metrics := make([]Metric, len(cloudMetricNames))
	for i, name := range cloudMetricNames {
		keep[i] = slices.IndexFunc(vmMetrics, func(m Metric) bool { return m.Name == name })
		metrics[i] = vmMetrics[keep[i]]
	}
	w := &Workload{
		Name: "B", Policy: "ceilometer-low", Period: 300 * time.Second, Ticks: 288,
		newModel: func(r int) model {
			n := r + 1
			vm := newVM("B/vm-"+strconv.Itoa(n), flavors[cloudFlavor(n)])
			return &someOf{model: vm, keep: keep, buffer: make([]float64, len(vmMetrics))}
		},
	}
	for n := 1; n <= instances; n++ {
		id := fmt.Sprintf("5eed0002-%04x-4000-8000-%012x", repetition, n)
		w.Resources = append(w.Resources, instance(id, n, cloudFlavor(n), n%10, metrics))
	}
	return w
}

func cloudFlavor(n int) int { return n / 10 % 5 }

// ProjectID is the id of the n-th project.
func ProjectID(n int) string { return fmt.Sprintf("%032x", 0x9000+n) }
func userID(n int) string    { return fmt.Sprintf("%032x", 0x7000+n) }

func instance(id string, n, flavorID, project int, metrics []Metric) Resource {
	name := "vm-" + strconv.Itoa(n)
	return Resource{
		ID: id, Type: "instance", Name: name, ProjectID: ProjectID(project), UserID: userID(project),
		Attributes: []Attribute{
			{"display_name", name},
			{"flavor_id", strconv.Itoa(flavorID)},
			{"flavor_name", flavors[flavorID].name},
			{"host", fmt.Sprintf("compute-%02d", n%25)},
			{"image_ref", fmt.Sprintf("image-%d", n%7)},
		},
		Metrics: metrics,
	}
}

// MetricCount returns the number of metrics of all resources.
func (w *Workload) MetricCount() (n int) {
	for _, r := range w.Resources {
		n += len(r.Metrics)
	}
	return n
}

// Rows walks the first ticks ticks in time order, in each tick the resources in their order. Every walk starts from the
// beginning and gives the same values.
func (w *Workload) Rows(ticks int) iter.Seq[Row] {
	return func(yield func(Row) bool) {
		models := make([]model, len(w.Resources))
		longest := 0
		for i, r := range w.Resources {
			models[i], longest = w.newModel(i), max(longest, len(r.Metrics))
		}
		buffer, period := make([]float64, longest), int64(w.Period/time.Second)
		for tick := range ticks {
			for i, m := range models {
				values := buffer[:len(w.Resources[i].Metrics)]
				m.step(period, values)
				if !yield(Row{Unix: Start + int64(tick)*period, Resource: i, Values: values}) {
					return
				}
			}
		}
	}
}
