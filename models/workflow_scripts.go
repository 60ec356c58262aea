package models

// The scripts of a workflow's steps. Values reach them by the environment, never by ${{ }}: what a branch or a commit is called must not
// become a command.

const pushScript = `docker build --tag "$IMAGE_REPOSITORY:$GITHUB_SHA" .
docker push "$IMAGE_REPOSITORY:$GITHUB_SHA"
digest=$(docker inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$IMAGE_REPOSITORY:$GITHUB_SHA" | sed -n "s|^$IMAGE_REPOSITORY@||p" | head -n 1)
[ -n "$digest" ]
echo "digest=$digest" >> "$GITHUB_OUTPUT"
`

// callScript is a call with a token of its own. The same call sent twice has one effect, so it is repeated when no answer came.
const callScript = `slipway() { # METHOD PATH [BODY]; the answer is in answer.json
  local try token status
  for try in 1 2 3; do
    token=$(curl -sSf --retry 3 -G --data-urlencode "audience=$SLIPWAY_URL" -H "Authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" "$ACTIONS_ID_TOKEN_REQUEST_URL" | jq -r .value)
    status=$(curl -sS -m 60 -o answer.json -w '%{http_code}' -X "$1" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' ${3:+--data-binary "@$3"} "$SLIPWAY_URL$2") || status=000
    case $status in
      2*) return 0 ;;
      000|429|5*) sleep $((try * 10)) ;;
      *) break ;;
    esac
  done
  echo "::error::Slipway answered $status: $(jq -r '[.error, (.fields // {} | to_entries[] | .key + ": " + .value)] | join(" ")' answer.json 2>/dev/null)"
  return 1
}
`

const registerScript = `jq -n --arg pipeline "$SLIPWAY_PIPELINE" --arg digest "$DIGEST" --arg tag "$GITHUB_SHA" --arg message "$(git log -1 --format=%B)" --arg author "$(git log -1 --format=%an)" \
  --arg at "$(git log -1 --format=%cI)" '{pipeline: $pipeline, digest: $digest, tag: $tag, result: "pass", message: $message, author: $author, committed_at: $at}' > body.json
slipway POST /api/v1/ci/builds body.json
jq -r '"::notice::Build " + .digest + " is execution " + (.execution | tostring) + " of " + .pipeline' answer.json
`

// evidenceScript posts nothing while no check is set: a gate that nobody checks waits, and does not pass.
const evidenceScript = callScript + `if [ -z "$CHECK" ]; then
  echo "::warning::Set CHECK of this step to the command that checks $GATE. Until then nothing is posted, and the gate waits."
  exit 0
fi
result=pass
bash -c "$CHECK" > report.txt 2>&1 || result=fail
head -c 1000000 report.txt | base64 -w 0 > report.b64
jq -n --arg pipeline "$SLIPWAY_PIPELINE" --arg digest "$DIGEST" --arg gate "$GATE" --arg result "$result" --rawfile content report.b64 \
  '{pipeline: $pipeline, digest: $digest, gate: $gate, result: $result} + (if $content == "" then {} else {file: {name: "report.txt", type: "text/plain", content: $content}} end)' > body.json
slipway POST /api/v1/ci/evidence body.json
`

const promoteScript = `jq -n --arg pipeline "$SLIPWAY_PIPELINE" --arg digest "$DIGEST" --arg environment "$TARGET" '{pipeline: $pipeline, digest: $digest, environment: $environment}' > body.json
slipway POST /api/v1/ci/promotions body.json
id=$(jq -r .id answer.json)
echo "::notice::$(jq -r .address answer.json)"
was=
while true; do
  now=$(jq -r '.state + (if .reason then ": " + .reason else "" end)' answer.json)
  [ "$now" = "$was" ] || echo "$now"
  was=$now
  [ "$(jq -r .ended answer.json)" = false ] || break
  sleep "${SLIPWAY_WAIT:-20}"
  slipway GET "/api/v1/ci/promotions/$id"
done
[ "$(jq -r .state answer.json)" = succeeded ]
`
