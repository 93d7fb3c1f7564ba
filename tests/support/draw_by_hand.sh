#!/usr/bin/env bash
# Fourth reading of docs/spec/draw-2.md, with jq, openssl, xxd, sort and awk only. Shares nothing with the programs.
# Usage: draw_by_hand.sh MANIFEST ROWS DICE BEACON_SIGNATURE [PLACES, the file of places that a further round took over]
# MANIFEST and ROWS are files (one line without line feed; one line for each entry), the others texts, empty where null.
# Prints key, drawn order, winners and waiting lists in order, and the reason of each class that an entry lost.
set -euo pipefail && export LC_ALL=C
manifest=$1 rows=$2 dice=$3 signature=$4 places=${5:-/dev/null} folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

sha256() { openssl dgst -sha256 -r | cut -c1-64; }
decrypt_ids() { xxd -r -p < "$folder/ids" | openssl enc -d -aes-256-ecb -nopad -K "$1" | xxd -p -c16; }

# §5 K, §6 tickets
key=$({ cat "$manifest"; printf '\n%s\n%s\n' "$dice" "$signature"; } | sha256)
echo "key $key"
jq -r 'if .beacon.chain == "rehearsal" then "note the chance of this draw proves nothing" else empty end' "$manifest"
cut -c1-32 "$rows" > "$folder/ids"
jq -r '(.rules.further_round // "asked") as $rule | # §15: who takes part is fixed before the first draw
  if (.further.scope // $rule) == $rule then empty else "fault the rules say that \($rule) take part" end' "$manifest"
decrypt_ids "$key" | paste -d' ' "$folder/ids" - > "$folder/tickets"

# Classes: id, seats (of a further round, §15, those that are free), start, end, length of the waiting list
jq -r '.further as $f | .classes[] | [.id, (if $f then $f.free[.id] // 0 else .capacity end), .starts, .ends, .waiting] | @tsv' "$manifest" |
  while read -r id capacity starts ends waiting; do
    echo "$id $capacity $(date -d "$starts" +%s.%6N) $(date -d "$ends" +%s.%6N) $waiting"
  done > "$folder/classes"

# §7 lots: one for each entry and class; without lots the position in the row decides
: > "$folder/lots"
if [ "$(jq .rules.preferences "$manifest")" = false ]; then
  while read -r id _; do
    lot_key=$({ printf %s "$key" | xxd -r -p; printf %s "$id"; } | sha256)
    decrypt_ids "$lot_key" | paste -d' ' "$folder/ids" - | sed "s/^/$id /"
  done < "$folder/classes" > "$folder/lots"
fi

# One line for each choice: ticket, entry, lot, class, seats; sorted: drawn order, then the order of trying
awk '
  FILENAME ~ /lots$/ { lot[$2, $1] = $3; next }
  FILENAME ~ /tickets$/ { ticket[$1] = $2; next }
  {
    n = split($2, choices, ",")
    for (i = 1; i <= n; i++) {
      split(choices[i], part, ":")
      order = ($1, part[1]) in lot ? lot[$1, part[1]] : sprintf("%09d", i)
      print ticket[$1], $1, order, part[1], part[2]
    }
  }' "$folder/lots" "$folder/tickets" "$rows" | sort > "$folder/choices"

# §8 rounds, §9 waiting lists and reasons
awk '$2 == 0' "$places" > "$folder/held"
awk -v wins="$(jq .rules.max_wins "$manifest")" '
  function clashes(e, class,   k, other) {
    for (k = 1; k <= m; k++) {
      other = classes[k]
      if (other != class && holds[id[e], other] && from[class] < to[other] && from[other] < to[class]) return 1
    }
    return 0
  }
  FILENAME ~ /held$/ { holds[$3, $1] = 1; total[$3]++; next }
  FILENAME ~ /classes$/ { classes[++m] = $1; left[$1] = $2; from[$1] = $3 + 0; to[$1] = $4 + 0; room[$1] = $5; next }
  $2 "" != id[n] "" { id[++n] = $2; print "order", $1, $2 }
  { chosen[n, ++count[n]] = $4; seats[n, $4] = $5 }
  END {
    for (round = 1; round <= wins; round++) for (i = 1; i <= n; i++) {
      e = round % 2 ? i : n + 1 - i
      for (c = 1; c <= count[e]; c++) {
        class = chosen[e, c]
        if (holds[id[e], class] || total[id[e]] >= wins || clashes(e, class)) continue
        if (left[class] < seats[e, class]) { if (left[class] > 0) few[e, class] = 1; continue }
        left[class] -= seats[e, class]; holds[id[e], class] = 1; total[id[e]]++
        print "winner", class, id[e]; break
      }
    }
    for (e = 1; e <= n; e++) for (c = 1; c <= count[e]; c++) {
      class = chosen[e, c]
      if (holds[id[e], class]) continue
      reason = total[id[e]] >= wins ? "limit" : clashes(e, class) ? "clash" : few[e, class] ? "group" : "drawn"
      if (reason ~ /drawn|group/ && room[class]-- > 0) print "waiting", class, id[e]
      else print "lost", class, id[e], reason
    }
  }' "$folder/held" "$folder/classes" "$folder/choices"
