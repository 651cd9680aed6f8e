package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/CycloneDX/cyclonedx-go"
)

// bill is the bill of materials of one binary.
type bill struct {
	path            string // where it is written
	binary, release string
}

// write checks that the binary consists of exactly these modules and writes the bill. The same binary gives the same
// bytes: neither the time nor a random number is in it.
func (b bill) write(modules []module) error {
	content, err := os.ReadFile(b.binary)
	if err != nil {
		return fmt.Errorf("read the binary: %w", err)
	}
	info, err := buildinfo.Read(bytes.NewReader(content))
	if err != nil {
		return fmt.Errorf("read what %s was built from: %w", b.binary, err)
	}
	if err := same(info, modules); err != nil {
		return fmt.Errorf("write the bill of materials of %s: %w", b.binary, err)
	}

	hash := sha256.Sum256(content)
	bom := cyclonedx.NewBOM()
	bom.Metadata = &cyclonedx.Metadata{Component: &cyclonedx.Component{
		BOMRef: "aftercall", Type: cyclonedx.ComponentTypeApplication, Name: "aftercall", Version: b.release,
		Hashes: &[]cyclonedx.Hash{{Algorithm: cyclonedx.HashAlgoSHA256, Value: hex.EncodeToString(hash[:])}},
	}}
	components := []cyclonedx.Component{standardLibrary(info.GoVersion)}
	for _, m := range modules {
		components = append(components, m.component())
	}
	bom.Components = &components

	var out bytes.Buffer
	encoder := cyclonedx.NewBOMEncoder(&out, cyclonedx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false)
	if err := encoder.EncodeVersion(bom, cyclonedx.SpecVersion1_6); err != nil {
		return fmt.Errorf("encode the bill of materials: %w", err)
	}
	if err := os.WriteFile(b.path, out.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write the bill of materials: %w", err)
	}
	return nil
}

// same compares what the binary says it consists of with what the source tree says: a binary of last week, or of another
// platform, gets no bill from today's tree.
func same(info *buildinfo.BuildInfo, modules []module) error {
	var built, listed []string
	for _, m := range info.Deps {
		built = append(built, m.Path+" "+m.Version)
	}
	for _, m := range modules {
		listed = append(listed, m.path+" "+m.version)
	}
	for _, m := range listed {
		if !slices.Contains(built, m) {
			return fmt.Errorf("the tree has %s, the binary has not: build it again", m)
		}
	}
	for _, m := range built {
		if !slices.Contains(listed, m) {
			return fmt.Errorf("the binary has %s, the tree has not: build it again", m)
		}
	}
	return nil
}

// component is the module's entry, with the texts that a binary is handed on with.
func (m module) component() cyclonedx.Component {
	c := library(m.path, m.version)
	licences := cyclonedx.Licenses{}
	for _, t := range m.licences {
		for _, id := range t.ids {
			licences = append(licences, cyclonedx.LicenseChoice{License: &cyclonedx.License{
				ID: id, Acknowledgement: cyclonedx.LicenseAcknowledgementConcluded,
				Text: &cyclonedx.AttachedText{ContentType: "text/plain", Content: t.content},
			}})
		}
	}
	c.Licenses = &licences
	if len(m.notices) > 0 {
		var notices []cyclonedx.Copyright
		for _, n := range m.notices {
			notices = append(notices, cyclonedx.Copyright{Text: n})
		}
		c.Evidence = &cyclonedx.Evidence{Copyright: &notices}
	}
	return c
}

// standardLibrary is the entry of what Go itself brings. Not every distribution of Go keeps the licence beside it.
func standardLibrary(version string) cyclonedx.Component {
	c := library("std", strings.TrimPrefix(version, "go"))
	c.Licenses = &cyclonedx.Licenses{{License: &cyclonedx.License{ID: "BSD-3-Clause"}}}
	return c
}

func library(name, version string) cyclonedx.Component {
	purl := "pkg:golang/" + name + "@" + strings.ReplaceAll(version, "+", "%2B")
	return cyclonedx.Component{BOMRef: purl, Type: cyclonedx.ComponentTypeLibrary, Name: name, Version: version, PackageURL: purl}
}
