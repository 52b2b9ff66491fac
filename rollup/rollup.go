// Package rollup holds the arithmetic of downsampling.
package rollup

// Method is an aggregation method.
type Method uint16
