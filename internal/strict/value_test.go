package strict_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dargah.dev/dargah/internal/strict"
	"github.com/google/go-cmp/cmp"
)

func TestValuesKeepTheirTypes(t *testing.T) {
	t.Parallel()
	type answers struct {
		Kind                                      strict.ValueKind
		IsString, IsNumber, IsBool, IsObj, IsList bool
	}
	tests := []struct {
		body string
		want answers
	}{
		{`{"a":null}`, answers{Kind: strict.Null}},
		{`{"a":true}`, answers{Kind: strict.Bool, IsBool: true}},
		{`{"a":false}`, answers{Kind: strict.Bool, IsBool: true}},
		{`{"a":1}`, answers{Kind: strict.Number, IsNumber: true}},
		{`{"a":"1"}`, answers{Kind: strict.String, IsString: true}},
		{`{"a":"true"}`, answers{Kind: strict.String, IsString: true}},
		{`{"a":""}`, answers{Kind: strict.String, IsString: true}},
		{`{"a":[1]}`, answers{Kind: strict.Array, IsList: true}},
		{`{"a":{"b":1}}`, answers{Kind: strict.ObjectKind, IsObj: true}},
		{`{"b":1}`, answers{Kind: strict.Absent}},
	}
	for _, tt := range tests {
		t.Run(tt.body, func(t *testing.T) {
			t.Parallel()
			object := mustRead(t, tt.body)
			v := object.Get("a")
			got := answers{Kind: v.Kind()}
			_, got.IsString = v.String()
			_, got.IsNumber = v.Number()
			_, got.IsBool = v.Bool()
			_, got.IsObj = v.Object()
			_, got.IsList = v.Array()
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if object.Has("a") != (tt.want.Kind != strict.Absent) {
				t.Errorf("Has: %v", object.Has("a"))
			}
		})
	}
}

func TestIntTakesPlainIntegersOnly(t *testing.T) {
	t.Parallel()
	tests := []struct {
		literal string
		want    int64
		ok      bool
	}{
		{`0`, 0, true},
		{`-0`, 0, true},
		{`365`, 365, true},
		{`9223372036854775807`, 1<<63 - 1, true},
		{`-9223372036854775808`, -1 << 63, true},
		{`9223372036854775808`, 0, false},
		{`-9223372036854775809`, 0, false},
		{`15.0`, 0, false},
		{`1e2`, 0, false},
		{`1E0`, 0, false},
		{`1e999999`, 0, false},
		{`"15"`, 0, false},
		{`true`, 0, false},
		{`null`, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.literal, func(t *testing.T) {
			t.Parallel()
			got, ok := mustRead(t, `{"a":`+tt.literal+`}`).Get("a").Int()
			if ok != tt.ok || ok && got != tt.want {
				t.Errorf("got %d, %v", got, ok)
			}
		})
	}
}

func TestBoolIsFalseForOtherTypes(t *testing.T) {
	t.Parallel()
	for body, want := range map[string][2]bool{
		`{"a":true}`: {true, true}, `{"a":false}`: {false, true}, `{"a":"true"}`: {}, `{"a":1}`: {}, `{"a":null}`: {}, `{}`: {},
	} {
		value, ok := mustRead(t, body).Get("a").Bool()
		if got := [2]bool{value, ok}; got != want {
			t.Errorf("%s: got %v, want %v", body, got, want)
		}
	}
}

func TestObjectsAreReadInOrderAndDepth(t *testing.T) {
	t.Parallel()
	body := `{"Z":{"deep":[{"x":"1"},{"x":"2"}]},"a":"after","B":[]}`
	object := mustRead(t, body)
	if diff := cmp.Diff([]string{"Z", "a", "B"}, slices.Collect(object.Names())); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if got := object.Len(); got != 3 {
		t.Errorf("%d members, not 3", got)
	}
	if object.Has("z") {
		t.Error("found z by a name of another case, without folding")
	}
	if got, _ := object.Get("a").String(); got != "after" {
		t.Errorf("a: %q", got)
	}
	inner, _ := object.Get("Z").Object()
	list, _ := inner.Get("deep").Array()
	if len(list) != 2 {
		t.Fatalf("%d elements, not 2", len(list))
	}
	last, _ := list[1].Object()
	if got, _ := last.Get("x").String(); got != "2" {
		t.Errorf("deep[1].x: %q", got)
	}
	for range object.All() {
		break
	}
	for range object.Names() {
		break
	}
}

func TestFoldingIsRememberedInside(t *testing.T) {
	t.Parallel()
	object, err := strict.FoldJSON([]byte(`{"Data":[{"Message":{"TokenValidDay":7}}]}`), strict.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	list, _ := object.Get("dATA").Array()
	element, _ := list[0].Object()
	message, _ := element.Get("message").Object()
	if got, ok := message.Get("tokenvalidday").Int(); !ok || got != 7 {
		t.Errorf("got %d, %v", got, ok)
	}
	if message.Has("TokenValidDays") || message.Has("") {
		t.Error("found a name that is not there")
	}
}

func TestZeroValuesAreEmpty(t *testing.T) {
	t.Parallel()
	var object strict.Object
	if object.Len() != 0 || object.Has("") || object.Get("a").Kind() != strict.Absent {
		t.Error("the zero Object has members")
	}
	var fields strict.Fields
	if _, present := fields.Get(""); present {
		t.Error("the zero Fields have a field")
	}
	if _, yes := fields.Repeated(); yes {
		t.Error("the zero Fields repeat a field")
	}
}

func TestWrongTypePointsAtTheValue(t *testing.T) {
	t.Parallel()
	object := mustRead(t, `{"a": "x", "b": [1, {}]}`)
	list, _ := object.Get("b").Array()
	for want, v := range map[int]strict.Value{0: object.Get("none"), 6: object.Get("a"), 16: object.Get("b"), 17: list[0], 20: list[1]} {
		if diff := cmp.Diff(&strict.Error{Kind: strict.WrongType, Offset: want}, asError(v.WrongType())); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestBodiesDoNotPrint(t *testing.T) {
	t.Parallel()
	object := mustRead(t, `{"password":"hunter2"}`)
	fields, err := strict.Form([]byte("password=hunter2"), strict.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
		got := fmt.Sprintf(verb+verb+verb, object, object.Get("password"), fields)
		if strings.Contains(got, "hunter2") || strings.Contains(got, "password") {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}

func TestBodyMayBeReusedAfterReading(t *testing.T) {
	t.Parallel()
	body := []byte(`{"a":"kept"}`)
	object, err := strict.JSON(body, strict.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	clear(body)
	if got, _ := object.Get("a").String(); got != "kept" {
		t.Errorf("got %q", got)
	}
}

func mustRead(t *testing.T, body string) strict.Object {
	t.Helper()
	object, err := strict.JSON([]byte(body), strict.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return object
}
