//go:build !unix

package main

import "errors"

// errQuota matches nothing: there are no quotas.
var errQuota = errors.New("quota exceeded")
