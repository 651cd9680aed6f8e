package rehearsal

import (
	"encoding/xml"
	"fmt"
	"io"
)

// The elements of a JUnit report, as build servers read them.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"` // a case that could not be tried is counted as one that failed
		Seconds    string          `xml:"time,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		File    string        `xml:"file,attr"`
		Line    int           `xml:"line,attr"`
		Seconds string        `xml:"time,attr"`
		Failure *junitFailure `xml:"failure"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes results for a build server.
func WriteJUnit(w io.Writer, results []Result) error {
	all := junitSuites{}
	for _, r := range results {
		s := junitSuite{Name: r.Path, Tests: len(r.Cases), Failures: r.Failed()}
		if by := r.answered(); by != "" {
			s.Properties = []junitProperty{{"answers", by}}
		}
		seconds := 0.0
		for _, c := range r.Cases {
			s.Cases = append(s.Cases, c.junit(r.Path))
			seconds += c.Took.Seconds()
		}
		s.Seconds = fmt.Sprintf("%.3f", seconds)
		all.Tests, all.Failures = all.Tests+s.Tests, all.Failures+s.Failures
		all.Suites = append(all.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write the JUnit report: %w", err)
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return fmt.Errorf("write the JUnit report: %w", err)
	}
	return nil
}

func (c CaseResult) junit(path string) junitCase {
	j := junitCase{Name: c.Name, Class: path, File: path, Line: c.Line, Seconds: fmt.Sprintf("%.3f", c.Took.Seconds())}
	if c.OK() {
		return j
	}
	j.Failure = &junitFailure{Type: "expectation", Message: fmt.Sprintf("passed %d of %d, want %d", c.Passed(), len(c.Runs), c.Pass)}
	for n, run := range c.Runs {
		if text := run.text(""); text != "" {
			if c.Repeat > 1 {
				text = fmt.Sprintf("try %d\n%s", n+1, text)
			}
			j.Failure.Text += text
		}
	}
	return j
}
