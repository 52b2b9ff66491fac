package auth

// Rule names what somebody may do or not.
type Rule string

// The rules that requests are checked by, as Gnocchi names them.
const (
	GetStatus Rule = "get status"

	CreateResource  Rule = "create resource"
	GetResource     Rule = "get resource"
	UpdateResource  Rule = "update resource"
	DeleteResource  Rule = "delete resource"
	DeleteResources Rule = "delete resources"
	ListResource    Rule = "list resource"
	SearchResource  Rule = "search resource"

	CreateResourceType Rule = "create resource type"
	GetResourceType    Rule = "get resource type"
	UpdateResourceType Rule = "update resource type"
	DeleteResourceType Rule = "delete resource type"
	ListResourceType   Rule = "list resource type"

	CreateArchivePolicy Rule = "create archive policy"
	GetArchivePolicy    Rule = "get archive policy"
	UpdateArchivePolicy Rule = "update archive policy"
	DeleteArchivePolicy Rule = "delete archive policy"
	ListArchivePolicy   Rule = "list archive policy"

	CreateArchivePolicyRule Rule = "create archive policy rule"
	GetArchivePolicyRule    Rule = "get archive policy rule"
	UpdateArchivePolicyRule Rule = "update archive policy rule"
	DeleteArchivePolicyRule Rule = "delete archive policy rule"
	ListArchivePolicyRule   Rule = "list archive policy rule"

	CreateMetric Rule = "create metric"
	GetMetric    Rule = "get metric"
	DeleteMetric Rule = "delete metric"
	ListMetric   Rule = "list metric"
	SearchMetric Rule = "search metric"
	GetMeasures  Rule = "get measures"
	PostMeasures Rule = "post measures"
)

// UpdateMetric is ours: Gnocchi cannot change a metric.
const UpdateMetric Rule = "update metric"

const (
	admin          = "role:admin"
	adminOrService = "rule:admin_or_service"
	adminOrCreator = "rule:admin_or_creator"
	anyone         = ""
)

// defaults are the rules of Gnocchi: those that others refer to, then those of requests.
var defaults = map[Rule]string{
	"context_is_admin": admin,
	"admin_or_service": "role:admin or role:service",
	"admin_or_creator": "role:admin or rule:creator",
	"creator":          "user:%(creator)s or project_id:%(created_by_project_id)s",
	"resource_owner":   "project_id:%(project_id)s",
	"metric_owner":     "project_id:%(resource.project_id)s",

	GetStatus: admin,

	CreateResource:  anyone,
	GetResource:     "rule:admin_or_creator or rule:resource_owner",
	UpdateResource:  "rule:admin_or_service or rule:creator",
	DeleteResource:  adminOrCreator,
	DeleteResources: adminOrCreator,
	ListResource:    "rule:admin_or_creator or rule:resource_owner",
	SearchResource:  "rule:admin_or_service or rule:creator or rule:resource_owner",

	CreateResourceType: adminOrService,
	GetResourceType:    anyone,
	UpdateResourceType: adminOrService,
	DeleteResourceType: admin,
	ListResourceType:   anyone,

	CreateArchivePolicy: adminOrService,
	GetArchivePolicy:    anyone,
	UpdateArchivePolicy: admin,
	DeleteArchivePolicy: admin,
	ListArchivePolicy:   anyone,

	CreateArchivePolicyRule: admin,
	GetArchivePolicyRule:    anyone,
	UpdateArchivePolicyRule: admin,
	DeleteArchivePolicyRule: admin,
	ListArchivePolicyRule:   anyone,

	CreateMetric: anyone,
	GetMetric:    "rule:admin_or_service or rule:creator or rule:metric_owner",
	UpdateMetric: adminOrCreator,
	DeleteMetric: adminOrCreator,
	ListMetric:   "rule:admin_or_creator or rule:metric_owner",
	SearchMetric: "rule:admin_or_creator or rule:metric_owner",
	GetMeasures:  "rule:admin_or_service or rule:creator or rule:metric_owner",
	PostMeasures: "rule:admin_or_service or rule:creator",
}
