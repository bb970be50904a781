//go:build !unix

package throwaway

import "errors"

var errSystem = errors.New("tests start servers on Unix only")

type process struct{}

func start(string, string, string, ...string) (*process, error) { return nil, errSystem }
func (*process) end(string) error                               { return nil }
func (*process) discard() error                                 { return nil }
func makeFolder(string) (string, error)                         { return "", errSystem }
func run(string, string, ...string) error                       { return errSystem }
