package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

// texts reads one text of each row of a corpus of JSON lines, in place; none if it is not there.
func (t *trial) texts(member string, path ...string) (texts []string, err error) {
	file := t.corpus(path...)
	if file == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read a corpus: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var row map[string]any
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			return nil, fmt.Errorf("read a corpus: %w", err)
		}
		if s, ok := row[member].(string); ok && s != "" {
			texts = append(texts, s)
		}
	}
	return texts, lines.Err()
}

// listed is texts for a corpus that is one JSON list.
func (t *trial) listed(member string, path ...string) (texts []string, err error) {
	file := t.corpus(path...)
	if file == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read a corpus: %w", err)
	}
	var rows []map[string]any
	if err := json.Unmarshal(raw, &rows); err != nil {
		return nil, fmt.Errorf("read a corpus: %w", err)
	}
	for _, row := range rows {
		if s, ok := row[member].(string); ok && s != "" {
			texts = append(texts, s)
		}
	}
	return texts, nil
}
