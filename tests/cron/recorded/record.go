// Records what robfig/cron v3.0.1, which Argo schedules by, makes of schedules, as JSON on stdout:
//
//	go mod init record && go get github.com/robfig/cron/v3@v3.0.1 && go run record.go > schedules.json
package main

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"strings"
	"time"
	_ "time/tzdata"

	"github.com/robfig/cron/v3"
)

type row struct {
	Schedule string   `json:"schedule"`
	From     string   `json:"from,omitempty"`
	Next     []string `json:"next,omitempty"`
	Error    string   `json:"error,omitempty"`
}

var zones = []string{
	"", "", "", "UTC", "Europe/Berlin", "America/Los_Angeles", "America/Sao_Paulo", "Asia/Tokyo", "Australia/Lord_Howe",
	"Asia/Kolkata", "America/Havana", "Africa/Casablanca", "Pacific/Apia", "Asia/Beirut", "America/Santiago",
}

// Around these moments some of the zones change their clocks.
var moments = []string{
	"2020-03-08T09:30:00Z", "2020-11-01T07:30:00Z", "2018-11-04T01:30:00Z", "2019-02-16T23:30:00Z", "2026-03-28T22:00:00Z",
	"2026-10-24T22:00:00Z", "2026-04-04T13:00:00Z", "2026-10-03T13:00:00Z", "2011-12-30T06:00:00Z", "2026-03-08T03:30:00Z",
	"2026-11-01T03:30:00Z", "2026-03-27T21:30:00Z", "2026-09-05T23:00:00Z", "2024-02-28T23:59:59Z", "2026-12-31T23:59:58Z",
}

var times = []string{
	"* * * * *", "*/15 * * * *", "0 * * * *", "30 * * * *", "0 0 * * *", "30 0 * * *", "59 1 * * *", "0 2 * * *", "1 2 * * *",
	"30 2 * * *", "0 3 * * *", "15 1,2,3 * * *", "45 23 * * *", "0 12 1 * *", "0 0 29 2 *", "0 0 30 2 *", "0 0 31 * *",
	"0 0 * * sun", "0 0 13 * FRI", "0 0 13 * ?", "0 0 ? * 5", "0 0 */2 * 1", "0 0 */1 * 1", "0 0 1-7 * */2", "5/20 4-6 * jan-mar mon-fri",
	"0 0 1 1 *", "@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly", "@every 1h", "@every 90s",
	"@every 1h30m10s", "@every 500ms", "@every 1.5h", "@every 2s600ms", "0-59/7 */5 * * *", "10 10-20/3 * * *", ", 0 * * *",
}

var wrong = []string{
	"", " ", "*", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *", "* * * 0 *",
	"* * * * 7", "* * * foo *", "* * * * mon-7", "-1 * * * *", "5-1 * * * *", "1-2-3 * * * *", "*/0 * * * *", "*/x * * * *",
	"1/2/3 * * * *", "@nightly", "@every", "@every ", "@every 1", "@every x", "@every 1d", "@every -1h", "@Hourly", "@every  1h",
	"CRON_TZ=Nowhere/Else 0 0 * * *", "TZ=Europe/Berlin 0 3 * * *", "CRON_TZ=UTC CRON_TZ=UTC 0 0 * * *", "* * * * L", "+5 * * * *",
	"٣ * * * *", "05 * * * *", "* * 5W * *", "H * * * *", "*5 * * * *", "*-5 * * * *", "?/5 * * * *", "CRON_TZ=UTC @daily",
	"@every 0s", "@every 9999999h", "@every 1µs", "@every .5h", "@every +3s", "1,2,,3 * * * *", "*/100 * * * *", "1_0 * * * *",
	"CRON_TZ= 0 0 * * *", "TZ=Local 0 5 * * *", "CRON_TZ=Europe/../UTC 0 0 * * *", "CRON_TZ=europe/berlin 0 0 * * *", "0 0 * * SuN",
}

func main() {
	chance := rand.New(rand.NewSource(7))
	rows := []row{}
	for _, spec := range times {
		for range 6 {
			rows = append(rows, recorded(zoned(chance, spec), moment(chance)))
		}
	}
	for range 500 {
		rows = append(rows, recorded(zoned(chance, random(chance)), moment(chance)))
	}
	for _, spec := range wrong {
		rows = append(rows, recorded(spec, moment(chance)))
	}
	fmt.Println("[")
	for at, one := range rows {
		text, _ := json.Marshal(one)
		fmt.Fprint(os.Stdout, string(text))
		if at < len(rows)-1 {
			fmt.Print(",")
		}
		fmt.Println()
	}
	fmt.Println("]")
}

func zoned(chance *rand.Rand, spec string) string {
	zone := zones[chance.Intn(len(zones))]
	if zone == "" {
		return spec
	}
	return "CRON_TZ=" + zone + " " + spec
}

func moment(chance *rand.Rand) time.Time {
	at, _ := time.Parse(time.RFC3339, moments[chance.Intn(len(moments))])
	return at.Add(time.Duration(chance.Intn(8*3600)) * time.Second)
}

func random(chance *rand.Rand) string {
	fields := []string{}
	for _, bound := range [][2]int{{0, 59}, {0, 23}, {1, 31}, {1, 12}, {0, 6}} {
		fields = append(fields, field(chance, bound[0], bound[1]))
	}
	return strings.Join(fields, " ")
}

func field(chance *rand.Rand, low, high int) string {
	one := low + chance.Intn(high-low+1)
	other := one + chance.Intn(high-one+1)
	switch chance.Intn(9) {
	case 0:
		return fmt.Sprint(one)
	case 1:
		return fmt.Sprintf("%d-%d", one, other)
	case 2:
		return fmt.Sprintf("%d-%d/%d", one, other, 1+chance.Intn(5))
	case 3:
		return fmt.Sprintf("%d,%d", one, other)
	case 4:
		return fmt.Sprintf("*/%d", 1+chance.Intn(7))
	case 5:
		return fmt.Sprintf("%d/%d", one, 1+chance.Intn(7))
	default:
		return "*"
	}
}

func recorded(spec string, from time.Time) row {
	schedule, err := cron.ParseStandard(spec)
	if err != nil {
		return row{Schedule: spec, Error: err.Error()}
	}
	found := row{Schedule: spec, From: from.Format(time.RFC3339)}
	for at := from; len(found.Next) < 4; {
		at = schedule.Next(at)
		if at.IsZero() {
			found.Next = append(found.Next, "never")
			break
		}
		found.Next = append(found.Next, at.UTC().Format(time.RFC3339))
	}
	return found
}
