// Package body reads the bodies of requests, compressed or not, into memory that is taken from a limit.Budget and used again, and makes values of those
// that are JSON.
//
// A Body serves one request. What a dialect says of an error is its own; an *Error tells the status and a sentence.
package body
