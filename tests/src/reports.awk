# Reads Surefire's XML reports of the folder root/ and prints a line each:
#   failed  MODULE, KERNEL SET: CLASS.TEST: MESSAGE    the set where one was forced, the message cut to about a line
#   report  FILE                                       behind each of these
#   skipped REASON
# Run by ./sortie test. POSIX awk, without extensions.

function attribute(name) {
  if (!match($0, " " name "=\"[^\"]*\"")) return ""
  return substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4)
}
function line(text) {
  gsub(/&#[0-9]+;|[ \t\r\n]+/, " ", text)
  gsub(/&lt;/, "<", text); gsub(/&gt;/, ">", text); gsub(/&quot;/, "\"", text); gsub(/&apos;/, "\047", text); gsub(/&amp;/, "\\&", text)
  gsub(/  +/, " ", text); sub(/^ /, "", text); sub(/ $/, "", text)
  if (length(text) > 200) { text = substr(text, 1, 200); sub(/ [^ ]*$/, " …", text) }
  return text
}
function skip(reason) {
  reason = line(reason); sub(/^Assumption failed: /, "", reason)
  printf "skipped\t%s\n", (reason == "" ? "no reason is told" : reason)
}
BEGIN { RS = "<" } # a record is a tag, with the text behind it
FNR == 1 { report = substr(FILENAME, length(root) + 2); module = report; sub(/\/.*/, "", module); output = 0 }
/^!\[CDATA\[/ {
  if (aborted) { text = $0; sub(/^!\[CDATA\[[^ ]*:? ?/, "", text); sub(/\n.*|\]\]>.*/, "", text); skip(text); aborted = 0 }
  output = 1 # what a test has printed may look like tags
}
output { if (/\]\]>/) output = 0; next }
/^testsuite / {
  set = kernels; suite = attribute("name")
  if (match(suite, /\([^)]*\)$/)) set = substr(suite, RSTART + 1, RLENGTH - 2)
}
/^testcase / { test = line(attribute("name")); class = attribute("classname"); sub(/.*\./, "", class) }
/^(failure|error) / {
  message = line(attribute("message"))
  text = report; sub(/TEST-/, "", text); sub(/xml$/, "txt", text)
  printf "failed\t%s%s: %s%s: %s\n", module, (set == "" ? "" : ", " set), class, (test == "" ? "" : "." test), (message == "" ? attribute("type") : message)
  printf "report\t%s\n", text
}
/^skipped/ { if (/ message=/) skip(attribute("message")); else aborted = 1 }
