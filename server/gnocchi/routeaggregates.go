package gnocchi

// findAggregation finds the routes of cross-metric aggregation.
func (c *call) findAggregation(rest []string) (*route, error) {
	t := &c.routes
	switch {
	case len(rest) == 0:
		return &t.aggregation, nil
	case rest[0] == "metric":
		return leaf(&t.aggregationMetric, rest[1:])
	case rest[0] == "resource" && len(rest) < 4:
		return &t.aggregationNameless, nil
	case len(rest) != 4 || rest[0] != "resource" || rest[2] != "metric":
		return nil, noRoute()
	}
	c.name = rest[3]
	return &t.aggregationResource, c.findType(rest[1])
}
