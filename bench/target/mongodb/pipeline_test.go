package main

import (
	"time"

	"go.mongodb.org/mongo-driver/bson/primitive"
)

const (
	target5min = 5 * time.Minute
	within5    = `"timestamp":{"$gte":{"$date":{"$numberLong":"300000"}},"$lt":{"$date":{"$numberLong":"900000"}}}`
	since5     = `{"$subtract":["$timestamp",{"$date":{"$numberLong":"300000"}}]}`
	grouped    = `{"$group":{"_id":{"period":{"$subtract":[` + since5 + `,{"$mod":[` + since5 + `,{"$numberLong":"300000"}]}]},"unit":"$counter_unit"},` +
		`"min":{"$min":"$counter_volume"},"max":{"$max":"$counter_volume"},"sum":{"$sum":"$counter_volume"},"avg":{"$avg":"$counter_volume"},` +
		`"count":{"$sum":1},"duration_start":{"$min":"$timestamp"},"duration_end":{"$max":"$timestamp"}}},{"$sort":{"_id.period":1}}]`
	bsonTime = primitive.DateTime(5)
)
