package lint

import (
	"fmt"
	"strings"
)

var (
	githubMessage  = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// GitHub is the finding as a workflow command, which GitHub shows beside the line.
func (f Finding) GitHub() string {
	return fmt.Sprintf("::%s file=%s,line=%d,title=%s::%s", f.Severity, githubProperty.Replace(f.File), f.Line,
		githubProperty.Replace(f.Rule), githubMessage.Replace(f.Message+"\n"+f.Safe))
}
