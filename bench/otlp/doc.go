// Package otlp has a test alone: OpenTelemetry's own exporter for Go writes to the door for OTLP.
package otlp
