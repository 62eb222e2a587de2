package sqlite

import (
	"context"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/internal/index/sqlindex"
)

// dialect is SQLite's sqlindex.Dialect. A list is a JSON array.
type dialect struct{}

var words = strings.NewReplacer(
	"{ids}", "json_each(?1) j", "{texts}", "json_each(?1) j",
	"{each}", "CROSS JOIN", // SQLite does not reorder these
	"{like}", "LIKE",
	"{lock}", "", // writers exclude each other anyway
)

func (dialect) SQL(query string) string {
	if !strings.Contains(query, "{") {
		return query
	}
	return words.Replace(query)
}

func (dialect) Parameter(int) string { return "?" }

func (dialect) Args(args []any) []any {
	for i, arg := range args {
		switch list := arg.(type) {
		case []int64:
			args[i] = jsonText(list)
		case []string:
			args[i] = jsonText(list)
		}
	}
	return args
}

func jsonText(list any) string {
	b, _ := json.Marshal(list, jsontext.AllowInvalidUTF8(true)) // numbers and texts always can be written
	return string(b)
}

func (d dialect) Insert(ctx context.Context, tx sqlindex.Tx, in *sqlindex.Insert) error {
	return in.Values(ctx, tx, d)
}

func (dialect) Applied(context.Context, sqlindex.Tx, uint64) error { return nil }

func (dialect) Error(err error) error { return err }
