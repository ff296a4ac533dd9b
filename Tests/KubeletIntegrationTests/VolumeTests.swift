import KubeSchema
import LinuxKit
import Testing

/// What containers find in volumes of each kind.
extension KubeletOnNodeTests {
    private static func mount(_ names: String...) -> JSON {
        ["volumeMounts": .array(names.map { ["name": .string($0), "mountPath": .string("/" + $0)] })]
    }

    /// What `command` prints in the pod's first container.
    private func output(_ node: NodeUnderTest, _ pod: String, _ command: String) async throws -> String {
        let words = ["sh", "-c", command].map { word in
            "command=" + word.utf8.map { "%" + String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        }
        return try await node.get("/run/default/\(pod)/main?\(words.joined(separator: "&"))").body
    }

    @Test func `an emptyDir in memory is a tmpfs of its size, shared, and gone with the pod`() async throws {
        try await NodeUnderTest.with { node in
            node.create(
                "memory",
                [
                    "containers": [
                        Self.container("main", "echo kept > /fast/file; " + Self.forever, Self.mount("fast", "plain")),
                        Self.container("other", Self.forever, Self.mount("fast")),
                    ],
                    "volumes": [
                        ["name": "fast", "emptyDir": ["medium": "Memory", "sizeLimit": "3Mi"]],
                        ["name": "plain", "emptyDir": [:]],
                    ],
                ])
            try await until("it runs") { node.isRunning("memory") }
            let mounts = try await output(node, "memory", "cat /proc/mounts").split(separator: "\n")
            #expect(mounts.contains { $0.hasPrefix("tmpfs /fast tmpfs rw") && $0.contains("size=3072k") })
            #expect(!mounts.contains { $0.contains(" /plain ") && $0.contains("size=3072k") })
            #expect(try await node.get("/run/default/memory/other?cmd=cat%20/fast/file").body == "kept\n")
            // The file outlives a container: it is the pod's.
            _ = try? await node.get("/run/default/memory/other?cmd=kill%20-TERM%201")
            try await until("the other one was restarted") { node.status("memory", 1)?["restartCount"]?.integer == 1 }
            try await until("it runs again") { node.isRunning("memory") }
            #expect(try await node.get("/run/default/memory/other?cmd=cat%20/fast/file").body == "kept\n")
            try await node.remove("memory")
            #expect(try Mounts.list().allSatisfy { !$0.mountPoint.contains("/empty-dir/fast") })
        }
    }

    @Test func `files come from secrets, config maps and the pod itself, side by side`() async throws {
        try await NodeUnderTest.with { node in
            node.api.put(
                "/api/v1/namespaces/default/configmaps/settings",
                [
                    "metadata": ["name": "settings"], "data": ["colour": "blue", "size": "9"],
                    "binaryData": ["raw": "AAEC"],
                ])
            node.api.put(
                "/api/v1/namespaces/default/secrets/password",
                ["metadata": ["name": "password"], "data": ["word": "c2VzYW1l"]])
            var main = Self.container("main", Self.forever, Self.mount("all", "self", "secret"))
            main["resources"] = ["limits": ["cpu": "500m", "memory": "64Mi"]]
            node.create(
                "projected",
                [
                    "containers": [main],
                    "volumes": [
                        [
                            "name": "all",
                            "projected": [
                                "defaultMode": 0o440,
                                "sources": [
                                    [
                                        "configMap": [
                                            "name": "settings",
                                            "items": [["key": "colour", "path": "settings/colour", "mode": 0o400]],
                                        ]
                                    ],
                                    ["secret": ["name": "password"]],
                                    ["secret": ["name": "absent", "optional": true]],
                                    [
                                        "downwardAPI": [
                                            "items": [["path": "name", "fieldRef": ["fieldPath": "metadata.name"]]]
                                        ]
                                    ],
                                ],
                            ],
                        ],
                        [
                            "name": "self",
                            "downwardAPI": [
                                "items": [
                                    ["path": "labels", "fieldRef": ["fieldPath": "metadata.labels"]],
                                    ["path": "note", "fieldRef": ["fieldPath": "metadata.annotations['note']"]],
                                    [
                                        "path": "memory",
                                        "resourceFieldRef": [
                                            "containerName": "main", "resource": "limits.memory", "divisor": "1Mi",
                                        ],
                                    ],
                                ]
                            ],
                        ],
                        ["name": "secret", "secret": ["secretName": "password", "defaultMode": 0o400]],
                    ],
                ], annotations: ["note": "from outside"])
            try await until("it runs") { node.isRunning("projected") }
            for (command, expected) in [
                ("cd /all; find . -type f -o -type l | grep -v '/\\.\\.' | sort", "./name\n./settings\n./word\n"),
                ("cat /all/settings/colour /all/word /all/name", "bluesesameprojected"),
                ("stat -L -c %a /all/settings/colour /all/word /secret/word", "400\n440\n400\n"),
                (
                    "cat /self/labels; echo; cat /self/note; echo; cat /self/memory",
                    "name=\"projected\"\nfrom outside\n64"
                ),
                ("grep -c '^tmpfs /secret tmpfs' /proc/mounts", "1\n"),
            ] {
                #expect(try await output(node, "projected", command) == expected, "\(command)")
            }
            // Files follow their objects while the pod runs, all of a volume's at once.
            node.api.put(
                "/api/v1/namespaces/default/secrets/password",
                ["metadata": ["name": "password"], "data": ["word": "bmV3"]])
            try await until("the new word has come", within: .seconds(100)) {
                try await output(node, "projected", "cat /all/word /secret/word") == "newnew"
            }
            try await node.remove("projected")
        }
    }

    @Test func `a volume whose object is absent is named until the object comes`() async throws {
        try await NodeUnderTest.with { node in
            node.create(
                "waiting",
                [
                    "containers": [Self.container("main", Self.forever, Self.mount("settings"))],
                    "volumes": [["name": "settings", "configMap": ["name": "later"]]],
                ])
            try await until("an event names it") {
                node.api.objects(under: "/api/v1/namespaces/default/events").contains {
                    $0["involvedObject", "name"] == "waiting" && $0["reason"] == "FailedMount"
                        && $0["message"]?.string?.contains("configmap \"later\" not found") == true
                }
            }
            #expect(node.pod("waiting")?["status", "phase"] == "Pending")
            node.api.put(
                "/api/v1/namespaces/default/configmaps/later",
                ["metadata": ["name": "later"], "data": ["colour": "green"]])
            try await until("it runs") { node.isRunning("waiting") }
            #expect(try await output(node, "waiting", "cat /settings/colour") == "green")
            try await node.remove("waiting")
        }
    }
}
