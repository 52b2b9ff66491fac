// Package lint holds the project's style as tests: which room may import which, what the core may depend on,
// that exported names are documented, that files stay short and are finished. It has no code of its own.
package lint
