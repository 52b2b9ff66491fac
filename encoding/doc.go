// Package encoding turns columns of times and values into bytes and back.
package encoding
