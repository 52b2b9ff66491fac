// Package index keeps sets of ordinals by (field, value) and answers filter trees with one bitmap.
package index
