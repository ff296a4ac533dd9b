import KubeSchema
import LinuxKit
import Testing

/// What is kept of containers' logs, and what readers see of it.
extension KubeletOnNodeTests {
    @Test func `a log that grows is set aside, its reader misses nothing, and the oldest parts go`() async throws {
        try await NodeUnderTest.with { node in
            node.create(
                "talker",
                [
                    "containers": [
                        Self.container(
                            "main",
                            """
                            echo 999; until [ -e /go ]; do sleep 0.05; done
                            for i in $(seq 1 40); do seq $((i * 1000)) $((i * 1000 + 999)); sleep 0.1; done
                            \(Self.forever)
                            """)
                    ]
                ])
            try await until("it runs") { node.isRunning("talker") }
            let uid = node.pod("talker")?["metadata", "uid"]?.string ?? ""
            let directory = "/var/log/pods/default_talker_\(uid)/main"
            // About 40 bytes a line: some files of 64 KiB, of which three are kept.
            let lines = try await node.follow("/containerLogs/default/talker/main?follow=true", to: "40999") {
                _ = try await node.get("/run/default/talker/main?cmd=touch%20/go")
            }
            #expect(lines == (999...40999).map { "\($0)" }, "\(lines.count) lines")
            try await until("the oldest are gone") { DirectoryListing.names(in: directory).count == 3 }
            #expect(try await node.get("/containerLogs/default/talker/main?tailLines=1").body == "40999\n")
            try await node.remove("talker")
            #expect(DirectoryListing.names(in: "/var/log/pods").isEmpty)
        }
    }

    @Test func `the log of the life before is kept, and no more`() async throws {
        try await NodeUnderTest.with { node in
            node.create(
                "lives",
                [
                    "containers": [
                        Self.container(
                            "main",
                            "n=$(cat /mark/n 2>/dev/null || echo 0); n=$((n + 1)); echo $n > /mark/n; echo life $n; "
                                + "[ $n -gt 2 ] || exit 1; " + Self.forever,
                            ["volumeMounts": [["name": "mark", "mountPath": "/mark"]]])
                    ], "volumes": [["name": "mark", "emptyDir": [:]]],
                ])
            try await until("it lives for the third time") {
                node.isRunning("lives") && node.status("lives")?["restartCount"]?.integer == 2
            }
            #expect(try await node.get("/containerLogs/default/lives/main").body == "life 3\n")
            #expect(try await node.get("/containerLogs/default/lives/main?previous=true").body == "life 2\n")
            let uid = node.pod("lives")?["metadata", "uid"]?.string ?? ""
            try await until("the first life is forgotten") {
                DirectoryListing.names(in: "/var/log/pods/default_lives_\(uid)/main").sorted() == ["1.log", "2.log"]
            }
            try await node.remove("lives")
        }
    }
}
