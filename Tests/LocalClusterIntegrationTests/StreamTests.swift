import Foundation
import Testing

/// exec, attach, port-forward, cp and logs as kubectl's users have them: through API server and kubelet to a container
/// of a real containerd, by today's kubectl and by Debian's 1.20.
@Suite(.serialized, .enabled(if: geteuid() == 0, "needs root for namespaces and mounts"), .timeLimit(.minutes(5)))
struct StreamTests {
    /// One container that talks, one that serves; the first one's start ends once, so that there is a log from before.
    private static let pod = """
        apiVersion: v1
        kind: Pod
        metadata: {name: talk}
        spec:
          terminationGracePeriodSeconds: 1
          containers:
          - name: shell
            image: python
            stdin: true
            command:
            - sh
            - -c
            - |
              [ -e /mark/once ] || { touch /mark/once; echo 'the first life'; exit 3; }
              echo ready; while read line; do echo "got $line"; done; exec sleep 1000
            volumeMounts: [{name: mark, mountPath: /mark}]
          - name: web
            image: nginx
          volumes: [{name: mark, emptyDir: {}}]
        """

    /// What is done, and what is printed then.
    private static let steps: [(what: String, command: String, output: String)] = [
        ("exec passes standard input on", "echo hello | kubectl exec -i talk -c shell -- cat", "hello\n"),
        (
            "exec keeps output, errors and the exit code apart",
            "kubectl exec talk -c shell -- sh -c 'echo out; echo error >&2; exit 7' 2>$D/errors; echo $?; head -n 1 $D/errors",
            "out\n7\nerror\n"
        ),
        (
            "exec gives a terminal",
            "script -qec \"kubectl exec -it talk -c shell -- sh -c 'test -t 0 && test -t 1 && echo a terminal'\" /dev/null "
                + "| grep -o 'a terminal'",
            "a terminal\n"
        ),
        (
            "exec of a large output is complete",
            "kubectl exec talk -c shell -- head -c 20000000 /dev/zero | wc -c", "20000000\n"
        ),
        (
            "attach reaches the main process",
            """
            mkfifo $D/input
            kubectl attach -i talk -c shell <$D/input >$D/output 2>/dev/null &
            exec 3>$D/input
            echo over here >&3
            for i in $(seq 200); do grep -q 'got over here' $D/output && break; sleep 0.1; done
            exec 3>&-
            kill %1; wait %1
            grep -o 'got over here' $D/output
            """, "got over here\n"
        ),
        (
            "cp goes both ways",
            """
            head -c 5000000 /dev/urandom >$D/there
            kubectl cp $D/there talk:/tmp/file -c web && kubectl cp -c web talk:/tmp/file $D/back 2>/dev/null >/dev/null
            cmp $D/there $D/back && echo the same
            """, "the same\n"
        ),
        (
            "port-forward carries connections side by side",
            """
            kubectl port-forward talk :80 >$D/forward &
            for i in $(seq 200); do grep -q 'Forwarding from 127' $D/forward && break; sleep 0.1; done
            port=$(sed -n 's/.*127.0.0.1:\\([0-9]*\\) .*/\\1/p' $D/forward)
            for i in 1 2 3 4 5 6; do curl -fsS -m 20 http://127.0.0.1:$port/ >$D/page$i & pages="$pages $!"; done
            wait $pages
            kill %1
            cat $D/page? | grep -c '<title>Welcome to nginx'
            """, "6\n"
        ),
        ("logs of the life before", "kubectl logs talk -c shell --previous", "the first life\n"),
        (
            "logs -f ends with its container",
            """
            kubectl run brief --image=nginx --restart=Never --command -- sh -c 'for i in 1 2 3; do echo $i; sleep 0.3; done' \
                >/dev/null
            for i in $(seq 200); do kubectl logs brief >/dev/null 2>&1 && break; sleep 0.1; done
            kubectl logs -f brief
            kubectl delete pod brief --wait=true >/dev/null
            """, "1\n2\n3\n"
        ),
        (
            "run -i attaches to what it runs",
            "echo through | kubectl run once -i --rm --quiet --restart=Never --image=nginx --command -- sed s/through/back/",
            "back\n"
        ),
    ]

    @Test func kubectlOfTodayAndOf2021TalkToContainers() throws {
        try #require(FileManager.default.isExecutableFile(atPath: Shell.oldKubectl), "\(Shell.oldKubectl) is missing")
        _ = try Shell.run("fjord down")
        let before = try Shell.machine()
        defer { _ = try? Shell.run("fjord down") }
        try Shell.succeed(
            """
            fjord up --nodes 1 --images "$FJORD_IMAGES"
            export KUBECONFIG=/var/lib/fjord/fjord/admin.kubeconfig
            kubectl create -f - <<'END'
            \(Self.pod)
            END
            for i in $(seq 240); do kubectl get pod talk | grep -q '2/2 .* 1 ' && exit 0; sleep 0.25; done
            kubectl describe pod talk; exit 1
            """)
        for kubectl in [nil, Shell.oldKubectl] {
            for step in Self.steps {
                let outcome = try Shell.run(
                    """
                    export KUBECONFIG=/var/lib/fjord/fjord/admin.kubeconfig
                    D=$(mktemp -d); trap 'rm -rf $D' EXIT
                    \(step.command)
                    """, kubectl: kubectl, limit: 60)
                #expect(outcome.output == step.output, "\(step.what), with \(kubectl ?? "the machine's kubectl")")
            }
        }
        try Shell.succeed("fjord down")
        try Shell.expectMachine(is: before)
    }
}
