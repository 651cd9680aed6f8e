// Package corpus reads test data of third parties where it lies: nothing of it is copied into the project.
//
// It owns the layout of the folder that DATA names (data/ with corpora, fixtures/ with recorded wire formats), and the
// rows that more than one command reads: signed webhooks and the JSON suite.
//
// It promises that a row is what its file says, byte for byte. It judges nothing.
package corpus

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Folder is where the data lies; "" if there is none here.
type Folder string

// Data is the path of a file of a corpus, "" if there are none here.
func (f Folder) Data(path ...string) string { return f.at("data", path) }

// Fixture is the path of a recorded wire format, "" if there are none here.
func (f Folder) Fixture(path ...string) string { return f.at("fixtures", path) }

func (f Folder) at(kind string, path []string) string {
	if f == "" {
		return ""
	}
	return filepath.Join(append([]string{string(f), kind}, path...)...)
}

// Read reads the rows of a file: JSON values one after another, or one list of them. Without a path there are none.
func Read[T any](path string) (rows []T, err error) {
	if path == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read a corpus: %w", err)
	}
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("[")) {
		if err := json.Unmarshal(raw, &rows); err != nil {
			return nil, fmt.Errorf("read %s: %w", filepath.Base(path), err)
		}
		return rows, nil
	}
	for d := json.NewDecoder(bytes.NewReader(raw)); ; {
		var row T
		if err := d.Decode(&row); errors.Is(err, io.EOF) {
			return rows, nil
		} else if err != nil {
			return nil, fmt.Errorf("read %s, row %d: %w", filepath.Base(path), len(rows)+1, err)
		}
		rows = append(rows, row)
	}
}

// Texts reads one text of each row; rows without it are left out.
func Texts(path, member string) (texts []string, err error) {
	rows, err := Read[map[string]any](path)
	for _, row := range rows {
		if s, ok := row[member].(string); ok && s != "" {
			texts = append(texts, s)
		}
	}
	return texts, err
}

// JSONCase is a row of the JSON suite: a text, and whether it is JSON: accept, reject, or either.
type JSONCase struct {
	Name, Expect string
	Raw          []byte `json:"bytes_base64"`
}

// JSONSuite reads the JSON suite.
func (f Folder) JSONSuite() ([]JSONCase, error) {
	return Read[JSONCase](f.Data("json-test-suite", "cases.jsonl"))
}
