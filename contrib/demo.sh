#!/usr/bin/env bash
# The story of January 2015, told on one machine: builds Fjord, brings a three-node cluster up, and goes through what a
# sysadmin of the time did with it, checking every step. The cluster stays up; `fjord down` removes it.
#
#   contrib/demo.sh [--store embedded|etcd] [--online] [--without-build] [--without-hard-way]
#
# --online pulls images from public registries instead of building small ones from Debian packages.
set -euo pipefail
. "$(dirname "$0")/packages.sh"

store=embedded
online=
build=1
hard_way=1
while [ $# -gt 0 ]; do
    case $1 in
    --store) store=${2:?--store takes embedded or etcd}; shift ;;
    --online) online=1 ;;
    --without-build) build= ;;
    --without-hard-way) hard_way= ;;
    *) fail "demo.sh: unknown option $1; see the first lines of the script" ;;
    esac
    shift
done

install_packages
cd "$project"
if [ -n "$build" ]; then
    echo "Building (the first time takes a quarter of an hour on two cores)"
    swift build -c release --scratch-path "$scratch" --product overlayd
    swift build -c release --scratch-path "$scratch" --product fjord
fi
binaries=${FJORD_BINARIES:-$scratch/release}
export PATH=$binaries:$PATH
images=${FJORD_IMAGES:-/var/cache/fjord/images}
examples=$project/contrib/examples
work=$(mktemp -d)
background=
cleanup() {
    [ -z "$background" ] || kill $background 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT

step() { printf '\n\033[1m%s\033[0m\n' "$*"; }
say() { printf '    %s\n' "$*"; }
show() { # runs a command for everyone to see
    printf '    \033[36m$ %s\033[0m\n' "$*"
    "$@" 2>&1 | sed 's/^/    /' || fail "That failed. Look around: the cluster is still up; \`fjord status\` and the logs under /var/lib/fjord say more."
}
within() { # within SECONDS WHAT COMMAND...: polls until the command succeeds
    local limit=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >"$work/last" 2>&1; do
        [ $SECONDS -lt $limit ] || {
            sed 's/^/    | /' "$work/last"
            kubectl get pods,nodes -o wide 2>&1 | sed 's/^/    | /' || true
            kubectl get events --sort-by=.lastTimestamp 2>&1 | tail -n 15 | sed 's/^/    | /' || true
            fail "Not so within the time allowed: $what"
        }
        sleep 0.3
    done
}
milliseconds() { date +%s%3N; }
in_node() { # in_node NODE COMMAND...: runs a command in a node's network
    local node=$1
    shift
    nsenter --net="/run/netns/fjord-$node" "$@"
}
pod_field() { kubectl get pod "$1" -o "jsonpath=$2"; }
address_of() { kubectl get node "$1" -o 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}'; }
running() { # running SELECTOR COUNT: so many pods are ready, and none is on its way out
    [ "$(kubectl get pods -l "$1" -o jsonpath='{range .items[?(@.status.containerStatuses[0].ready==true)]}{.metadata.name}{"\n"}{end}' | wc -l)" = "$2" ]
}
answers() { curl -fsS -m 3 "$1" | grep -q "$2"; }

begun=$SECONDS
step "1. A cluster: one master, three nodes, each with its own overlayd, kubelet, proxy and containerd"
if [ -n "$online" ]; then
    show fjord up --nodes 3 --store "$store" --uplink
else
    say "No way out is needed: images are built from Debian packages and served by a registry beside the master."
    contrib/images.sh "$images"
    show fjord up --nodes 3 --store "$store" --images "$images"
fi
export KUBECONFIG=/var/lib/fjord/fjord/admin.kubeconfig
show kubectl get nodes -o wide

step "2. A pod, with the very manifest of 2015"
show cat "$examples/nginx-pod.json"
show kubectl create -f "$examples/nginx-pod.json"
within 90 "pod nginx runs" running name=nginx 1
node=$(pod_field nginx '{.spec.nodeName}')
within 20 "curl gets nginx' page from port 8080 of $node" answers "http://$(address_of "$node"):8080/" 'Welcome to nginx'
show kubectl get pods -o wide
say "curl http://$(address_of "$node"):8080/ from this host: $(curl -fsS "http://$(address_of "$node"):8080/" | grep -m1 -o '<title>.*</title>')"

step "3. A replication controller"
show kubectl create -f "$examples/nginx-controller.json"
within 90 "three replicas run" running name=nginx 3
show kubectl get rc,pods -l name=nginx -o wide 2>/dev/null || show kubectl get pods -l name=nginx -o wide
[ "$(kubectl get pods -l name=nginx -o jsonpath='{range .items[*]}{.spec.nodeName}{"\n"}{end}' | sort -u | wc -l)" = 3 ] ||
    fail "The replicas are not spread over the three nodes."
[ "$(pod_field nginx '{.metadata.ownerReferences[0].name}')" = nginx-controller ] ||
    fail "The bare pod was not adopted."
say "Three in all: the pod of step 2 carries the controller's label, so it was adopted and two were created."
say "It is the controller's now: deleting the controller deletes it too."

step "4. Two containers that share an address and a directory"
show kubectl create -f "$examples/sidecar-pod.yaml"
within 90 "the sidecar reads its own page back over localhost" \
    sh -c 'kubectl logs sidecar -c writer | grep -q "read back: written by the sidecar of sidecar"'
show kubectl logs sidecar -c writer --tail=2
say "exec in the other container: $(kubectl exec sidecar -c nginx -- cat /usr/share/nginx/html/index.html)"

step "5. Redis behind a service, and a web application that finds it"
show kubectl create -f "$examples/redis-pod.json"
show kubectl create -f "$examples/redis-service.json"
within 60 "redis has an endpoint" sh -c 'kubectl get endpoints redis -o jsonpath="{.subsets[0].addresses[0].ip}" | grep -q .'
show kubectl create -f "$examples/web-controller.yaml"
show kubectl create -f "$examples/web-service.yaml"
within 90 "the web application runs" running name=web 1
show kubectl scale rc web --replicas=3
within 90 "three of them run" running name=web 3
show kubectl get services,pods -o wide
redis_node=$(pod_field redis '{.spec.nodeName}')
web=$(kubectl get pods -l name=web -o jsonpath="{range .items[?(@.spec.nodeName!=\"$redis_node\")]}{.metadata.name}{\"\n\"}{end}" | head -n 1)
[ -n "$web" ] || fail "All web pods are on redis' own node."
say "$web on $(pod_field "$web" '{.spec.nodeName}'), redis on $redis_node; in the container: $(kubectl exec "$web" -- env | grep -E '^REDIS_SERVICE_(HOST|PORT)=' | tr '\n' ' ')"
say "What crosses the wire meanwhile, seen at ${redis_node}'s underlay:"
in_node "$redis_node" overlayd capture --iface eth0 --count 4 --seconds 30 >"$work/capture" 2>&1 &
background=$!
for _ in $(seq 40); do
    in_node "$(pod_field "$web" '{.spec.nodeName}')" curl -fsS -m 3 "http://$(pod_field "$web" '{.status.podIP}'):8000/" >"$work/visit" || true
    kill -0 $background 2>/dev/null || break
    sleep 0.25
done
wait $background || fail "No encapsulated packets were seen: $(cat "$work/capture")"
background=
sed 's/^/    /' "$work/capture"
grep -q 10.244. "$work/capture" || fail "The pods' own addresses are not inside."
for _ in 1 2 3; do say "$(in_node node-1 curl -fsS -m 5 "http://$(kubectl get service web -o jsonpath='{.spec.clusterIP}')/")"; done

step "6. What goes wrong at 3 a.m."
restarts=$(pod_field nginx '{.status.containerStatuses[0].restartCount}')
kubectl exec nginx -- sh -c 'kill 1' || true
say "Killed the main process of pod nginx."
within 60 "its container is restarted in place" sh -c "[ \"\$(kubectl get pod nginx -o jsonpath='{.status.containerStatuses[0].restartCount}')\" -gt $restarts ]"
within 60 "and runs" running name=nginx 3
show kubectl get pod nginx -o wide
victim=$(kubectl get pods -l name=nginx -o jsonpath='{range .items[*]}{.metadata.name}{" "}{.spec.nodeName}{"\n"}{end}' | grep '^nginx-controller' | head -n 1 | cut -d' ' -f2)
subnet=$(kubectl get node "$victim" -o jsonpath='{.spec.podCIDR}')
show fjord node stop "$victim"
off=$(milliseconds)
elsewhere() {
    [ "$(kubectl get pods -l name=nginx -o jsonpath="{range .items[?(@.status.containerStatuses[0].ready==true)]}{.spec.nodeName}{\"\n\"}{end}" | grep -cv "^$victim\$")" = 3 ]
}
within 60 "three replicas run without $victim" elsewhere
took=$(($(milliseconds) - off))
show kubectl get nodes
show kubectl get pods -l name=nginx -o wide
say "From power-off to three ready replicas on the other nodes: $((took / 1000)).$(printf %03d $((took % 1000))) s. Nobody was paged."
[ $took -lt 20000 ] || fail "That took longer than 20 s."
show fjord node start "$victim"
within 60 "$victim is Ready again" sh -c "kubectl get node $victim -o jsonpath='{.status.conditions[?(@.type==\"Ready\")].status}' | grep -q True"
within 30 "$victim has the subnet that it had" sh -c "[ \"\$(kubectl get node $victim -o jsonpath='{.spec.podCIDR}')\" = $subnet ]"
say "$victim is back, with subnet $subnet as before."

step "7. What the encapsulation costs"
in_node node-2 overlayd measure --serve >"$work/serve" 2>&1 &
background=$!
sleep 0.5
show in_node node-1 overlayd measure --peer "$(address_of node-2)" --rounds 3 --seconds 2
kill $background 2>/dev/null || true
background=

if [ -n "$hard_way" ]; then
    step "8. The hard way: systemd units, /etc/kubernetes, etcd on port 4001, a master and two minions"
    show fjord hard-way up --units contrib/systemd --etc contrib/etc --minions 2 ${online:+--uplink} $([ -n "$online" ] || echo --images "$images")
    master=http://192.168.1.10:8080
    within 60 "both minions are Ready" sh -c "[ \$(kubectl -s $master get nodes --no-headers | grep -cw Ready) = 2 ]"
    (
        export KUBECONFIG=$work/no-kubeconfig  # kubectl must not find the other cluster
        show kubectl -s $master get nodes
        show kubectl -s $master create -f "$examples/nginx-pod.json"
        within 90 "its pod runs" sh -c "kubectl -s $master get pod nginx | grep -qw Running"
        show kubectl -s $master get pods -o wide
        minion=$(kubectl -s $master get pod nginx -o jsonpath='{.status.hostIP}')
        within 20 "curl gets its page" answers "http://$minion:8080/" 'Welcome to nginx'
        say "curl http://$minion:8080/: $(curl -fsS "http://$minion:8080/" | grep -m1 -o '<title>.*</title>')"
    )
    show fjord hard-way down
fi

step "Done in $((SECONDS - begun)) s. The cluster is up:"
show fjord status
cat <<END

    export PATH=$binaries:\$PATH KUBECONFIG=$KUBECONFIG
    kubectl get pods -o wide        # look around
    fjord node stop node-2          # break something
    fjord down                      # remove every trace
END
