package samples

import (
	"github.com/telemetrydb/tsdb/engine"
)

// What Ceilometer's gnocchi publisher makes of meters, as it is configured when nobody changes that: the types of their resources.

// attribute is one of a resource type, and the paths of the metadata that it is taken from: the first that has a value.
type attribute struct {
	engine.Attribute
	paths []string
}

func text(name string, required bool, paths ...string) attribute {
	return attribute{engine.Attribute{Name: name, Type: engine.AttributeString, Required: required, MaxLength: 255}, orName(name, paths)}
}

func uuid(name string, required bool, paths ...string) attribute {
	return attribute{engine.Attribute{Name: name, Type: engine.AttributeUUID, Required: required}, orName(name, paths)}
}

func datetime(name string) attribute {
	return attribute{engine.Attribute{Name: name, Type: engine.AttributeDatetime}, []string{name}}
}

// unsampled is an attribute that events give, not samples.
func unsampled(name string) attribute {
	return attribute{engine.Attribute{Name: name, Type: engine.AttributeString, MaxLength: 255}, nil}
}

func orName(name string, paths []string) []string {
	if len(paths) == 0 {
		return []string{name}
	}
	return paths
}

// resourceTypes are the types that resources of samples get, with the attributes that ceilometer-upgrade gives them.
var resourceTypes = map[string][]attribute{
	"instance": {text("flavor_id", true, "instance_flavor_id", "flavor.id", "flavor_id"), text("image_ref", false),
		text("host", false, "instance_host", "host"), text("display_name", true), text("server_group", false, "user_metadata.server_group"),
		text("flavor_name", true, "instance_type", "flavor.name", "flavor_name"), datetime("launched_at"), datetime("created_at"),
		datetime("deleted_at"), unsampled("availability_zone")},
	"instance_network_interface": {text("name", true, "vnic_name"), uuid("instance_id", true)},
	"instance_disk":              {text("name", true, "disk_name"), uuid("instance_id", true)},
	"image":                      {text("name", true), text("container_format", false), text("disk_format", false)},
	"network":                    {},
	"volume": {text("display_name", false, "display_name", "name"), text("volume_type", false), uuid("image_id", false),
		uuid("instance_id", false), text("volume_type_id", false)},
	"volume_provider":      {},
	"volume_provider_pool": {text("provider", true)},
	"volume_service":       {text("host", false), text("binary", false), text("zone", false), text("status", false)},
	"loadbalancer":         {text("name", false), text("availability_zone", false), text("vip_address", false), text("provider", false)},
	"dns_zone":             {text("zone_name", false, "name"), text("email", false), text("zone_type", false, "type"), text("pool_id", false)},
	"manila_share": {text("name", false), text("host", true), text("protocol", false), text("availability_zone", false),
		text("status", true)},
	"nova_compute":  {text("host_name", true, "host")},
	"swift_account": {text("storage_policy", false)},
	"ceph_account":  {},
	"identity":      {},
	"stack":         {},
	"ipmi":          {},
	"ipmi_sensor":   {text("node", true)},
}

// meterRows says, type by type, which meters there are; the second list is of those that grow.
var meterRows = []struct {
	typ              string
	prefix           string
	meters, counters []string
}{
	{"instance", "", []string{"memory", "memory.available", "memory.usage", "memory.resident", "memory.swap.in", "memory.swap.out", "vcpus",
		"power.state", "disk.root.size", "disk.ephemeral.size", "disk.latency", "disk.iops", "disk.capacity", "disk.allocation", "disk.usage",
		"compute.instance.booting.time", "perf.cpu.cycles", "perf.instructions", "perf.cache.references", "perf.cache.misses"},
		[]string{"cpu"}},
	{"instance_network_interface", "network.", nil, []string{"outgoing.packets", "incoming.packets", "outgoing.packets.drop",
		"incoming.packets.drop", "outgoing.packets.error", "incoming.packets.error", "outgoing.bytes", "incoming.bytes"}},
	{"instance_disk", "disk.device.", []string{"read.latency", "write.latency", "capacity", "allocation", "usage"},
		[]string{"read.requests", "write.requests", "read.bytes", "write.bytes"}},
	{"image", "image.", []string{"size", "download", "serve"}, nil},
	{"network", "", []string{"bandwidth", "ip.floating"}, nil},
	{"volume", "", []string{"volume", "volume.size", "snapshot.size", "volume.snapshot.size", "volume.backup.size", "backup.size",
		"volume.manage_existing.start", "volume.manage_existing.end", "volume.manage_existing_snapshot.start",
		"volume.manage_existing_snapshot.end"}, nil},
	{"volume_provider", "volume.provider.capacity.", []string{"total", "free", "allocated", "provisioned", "virtual_free"}, nil},
	{"volume_provider_pool", "volume.provider.pool.capacity.", []string{"total", "free", "allocated", "provisioned", "virtual_free"}, nil},
	{"volume_service", "volume.service.", []string{"health"}, nil},
	{"loadbalancer", "loadbalancer.", []string{"operating", "provisioning"}, nil},
	{"dns_zone", "dns.zone.", []string{"status", "recordsets", "ttl", "serial"}, nil},
	{"manila_share", "manila.share.", []string{"size", "status"}, nil},
	{"nova_compute", "compute.node.cpu.", []string{"frequency", "idle.percent", "idle.time", "iowait.percent", "iowait.time", "kernel.percent",
		"kernel.time", "percent", "user.percent", "user.time"}, nil},
	{"swift_account", "storage.", []string{"objects.incoming.bytes", "objects.outgoing.bytes", "objects.size", "objects", "objects.containers",
		"containers.objects", "containers.objects.size"}, nil},
	{"ceph_account", "radosgw.", []string{"objects", "objects.size", "objects.containers", "api.request", "containers.objects",
		"containers.objects.size"}, nil},
	{"identity", "identity.", []string{"authenticate.success", "authenticate.pending", "authenticate.failure", "user.created", "user.deleted",
		"user.updated", "group.created", "group.deleted", "group.updated", "role.created", "role.deleted", "role.updated", "project.created",
		"project.deleted", "project.updated", "trust.created", "trust.deleted", "role_assignment.created", "role_assignment.deleted"}, nil},
	{"stack", "stack.", []string{"create", "update", "delete", "resume", "suspend"}, nil},
	{"ipmi", "hardware.ipmi.node.", []string{"power", "temperature", "inlet_temperature", "outlet_temperature", "fan", "current", "voltage",
		"airflow", "cups", "cpu_util", "mem_util", "io_util"}, nil},
	{"ipmi_sensor", "hardware.ipmi.", []string{"power", "temperature", "current", "voltage", "fan"}, nil},
}

// meterType is what is known of a meter by its name.
type meterType struct {
	typ     string // of its resource
	counter bool   // it grows, and its rate is what people look at
}

var meterTypes = func() map[string]meterType {
	all := map[string]meterType{}
	for _, r := range meterRows {
		for _, m := range r.meters {
			all[r.prefix+m] = meterType{r.typ, false}
		}
		for _, m := range r.counters {
			all[r.prefix+m] = meterType{r.typ, true}
		}
	}
	return all
}()

// needType makes a resource type that does not exist.
func needType(tx *engine.Tx, name string) error {
	if _, err := tx.ResourceType(name); err == nil {
		return nil
	}
	t := engine.ResourceType{Name: name}
	for _, a := range resourceTypes[name] {
		t.Attributes = append(t.Attributes, a.Attribute)
	}
	return tx.CreateResourceType(t)
}
