import Testing

@testable import LocalCluster

@Suite struct UnitFileTests {
    @Test(
        arguments: [
            ("/usr/bin/x $A", ["A": "--a --b"], ["/usr/bin/x", "--a", "--b"], "a lone variable is split into words"),
            ("/usr/bin/x $A", [:], ["/usr/bin/x"], "and vanishes when it is empty"),
            ("/usr/bin/x ${A}", [:], ["/usr/bin/x", ""], "in braces it stays one argument, even an empty one"),
            ("/usr/bin/x ${A}", ["A": "b c"], ["/usr/bin/x", "b c"], "and is not split"),
            ("/usr/bin/x --a=${A}/z", ["A": "b"], ["/usr/bin/x", "--a=b/z"], "inside a word"),
            ("/usr/bin/x --a=$A", ["A": "b"], ["/usr/bin/x", "--a=$A"], "without braces only a whole word counts"),
            ("/usr/bin/x $$A \"b c\" 'd'", ["A": "q"], ["/usr/bin/x", "$A", "b c", "d"], "dollar signs and quotes"),
            ("-@/usr/bin/x a\\ b", [:], ["/usr/bin/x", "a b"], "prefixes of the program, and a backslash"),
        ] as [(String, [String: String], [String], String)])
    func commandLinesAreExpandedAsSystemdDoes(
        _ line: String, _ environment: [String: String], _ expected: [String], _ why: String
    ) {
        #expect(UnitFile.arguments(line, environment: environment) == expected, Comment(rawValue: why))
    }

    @Test func aUnitsServiceSectionIsRead() throws {
        let unit = try UnitFile(
            parsing: """
                # a comment
                [Unit]
                ExecStart=/not/this
                [Service]
                Environment=A=1 "B=2 3"
                EnvironmentFile=-/etc/kubernetes/config
                EnvironmentFile=/etc/kubernetes/kubelet
                ExecStartPre=/bin/mkdir -p /run/x
                ExecStart=/usr/bin/kubelet \\
                    $KUBELET_ARGS
                Restart=on-failure
                StateDirectory=kubelet
                [Install]
                WantedBy=multi-user.target
                """, name: "kubelet.service")
        #expect(unit.environment == ["A": "1", "B": "2 3"])
        #expect(
            unit.environmentFiles == [
                .init(path: "/etc/kubernetes/config", mayBeMissing: true),
                .init(path: "/etc/kubernetes/kubelet", mayBeMissing: false),
            ])
        #expect(unit.start == "/usr/bin/kubelet $KUBELET_ARGS")
        #expect(unit.startPreparations == ["/bin/mkdir -p /run/x"])
        #expect(unit.restart == "on-failure")
        #expect(unit.stateDirectories == ["kubelet"])
    }

    @Test func aUnitThatStartsNothingIsRefused() {
        #expect(throws: ClusterError.self) { try UnitFile(parsing: "[Service]\nRestart=always\n", name: "x.service") }
    }

    @Test func environmentFilesAreAssignments() {
        let text = """
            # the article's
            ETCD_NAME=default
            ETCD_DATA_DIR="/var/lib/etcd/default.etcd"
            EMPTY=""
            SINGLE='a b'
            ; another comment
            no assignment
            ETCD_NAME=last
            """
        #expect(
            UnitFile.assignments(text) == [
                "ETCD_NAME": "last", "ETCD_DATA_DIR": "/var/lib/etcd/default.etcd", "EMPTY": "", "SINGLE": "a b",
            ])
    }
}
