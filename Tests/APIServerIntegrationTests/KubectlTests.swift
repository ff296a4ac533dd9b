import APIServer
import Addressing
import EmbeddedStore
import Foundation
import HTTPTransport
import Logging
import ServiceLifecycle
import Testing

func withKubectl(_ program: String, _ body: @Sendable (Kubectl) async throws -> Void) async throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("fjord-kubectl-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    var logger = Logger(label: "test")
    logger.logLevel = .error
    let store = try EmbeddedStore(path: directory.appendingPathComponent("store.db").path, logger: logger)
    let prefix = try #require(IPv4Prefix("10.254.0.0/16"))
    let engine = APIEngine(
        configuration: APIServerConfiguration(serviceNetwork: ServiceNetwork(prefix)), store: store, logger: logger)
    var http = HTTPServerConfiguration(address: "127.0.0.1", port: 0)
    http.shutdownGrace = .milliseconds(200)
    let server = HTTPServer(configuration: http, logger: logger, handler: engine)
    try await server.listen()
    let kubectl = Kubectl(
        program: program, server: "http://127.0.0.1:\(try #require(server.boundPort))", home: directory)
    try await withThrowingTaskGroup { group in
        group.addTask { try await store.run() }
        group.addTask { try await engine.run() }
        group.addTask { try await server.run() }
        let deadline = ContinuousClock.now + .seconds(20)
        while try await kubectl.run("get", "service", "kubernetes").status != 0, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(50))
        }
        try await body(kubectl)
        group.cancelAll()
        while await group.nextResult() != nil {}
    }
}

private let nginxPod = """
    {"id":"nginx","kind":"Pod","apiVersion":"v1beta1","desiredState":{"manifest":{"version":"v1beta1","id":"nginx","containers":[{"name":"nginx","image":"nginx","ports":[{"containerPort":80,"hostPort":8080}]}]}},"labels":{"name":"nginx"}}
    """
private let nginxController = """
    {"id":"nginx-controller","kind":"ReplicationController","apiVersion":"v1beta1","desiredState":{"replicas":3,"replicaSelector":{"name":"nginx"},"podTemplate":{"labels":{"name":"nginx"},"manifest":{"containers":[{"name":"nginx","image":"nginx"}]}}}}
    """
private func pod(_ name: String = "p", image: String = "nginx", label: String = "one") -> String {
    """
    {"kind":"Pod","apiVersion":"v1","metadata":{"name":"\(name)","labels":{"l":"\(label)"}},"spec":{"containers":[{"name":"c","image":"\(image)"}]}}
    """
}

/// Needs `/usr/bin/kubectl`; `FJORD_OLD_KUBECTL` may name a second one.
@Suite(.serialized, .timeLimit(.minutes(5))) struct KubectlTests {
    @Test(arguments: Kubectl.programs) func `the manifests of 2015 are created and shown`(program: String) async throws
    {
        try await withKubectl(program) { kubectl in
            let pod = try await kubectl.run("create", "-f", "-", input: nginxPod)
            #expect(pod.output == "pod/nginx created\n", "\(pod.errors)")
            let controller = try await kubectl.run("create", "-f", "-", input: nginxController)
            #expect(controller.output == "replicationcontroller/nginx-controller created\n", "\(controller.errors)")
            let pods = try await kubectl.run("get", "pods").output
            #expect(pods.hasPrefix("NAME ") && pods.contains("nginx") && pods.contains("Pending"))
            #expect(try await kubectl.run("get", "pods", "-o", "wide").output.contains("NODE"))
            let image = try await kubectl.run(
                "get", "rc", "nginx-controller", "-o", "jsonpath={.spec.template.spec.containers[0].image}")
            #expect(image.output == "nginx")
            #expect(try await kubectl.run("get", "pod", "nginx", "-o", "yaml").output.contains("hostPort: 8080"))
            #expect(
                try await kubectl.run("get", "pods.v1beta1.", "nginx", "-o", "json").output.contains("desiredState"))
            #expect(try await kubectl.run("describe", "pod", "nginx").output.contains("Status:"))
            #expect(try await kubectl.run("get", "all").output.contains("replicationcontroller/nginx-controller"))
            #expect(try await kubectl.run("delete", "pod", "nginx").output.hasPrefix("pod \"nginx\" deleted"))
            #expect(
                try await kubectl.run("get", "pod", "nginx").errors.contains(
                    "Error from server (NotFound): pods \"nginx\" not found"))
        }
    }

    @Test(arguments: Kubectl.programs) func `objects are applied, labelled, scaled and patched`(program: String)
        async throws
    {
        try await withKubectl(program) { kubectl in
            #expect(try await kubectl.run("apply", "-f", "-", input: pod()).output == "pod/p created\n")
            #expect(try await kubectl.run("apply", "-f", "-", input: pod()).output == "pod/p unchanged\n")
            #expect(
                try await kubectl.run("apply", "-f", "-", input: pod(image: "redis", label: "two")).output
                    == "pod/p configured\n")
            #expect(try await kubectl.run("get", "pods", "-l", "l=two", "-o", "name").output == "pod/p\n")
            #expect(try await kubectl.run("label", "pod", "p", "more=yes").output == "pod/p labeled\n")
            #expect(try await kubectl.run("annotate", "pod", "p", "a=b").output == "pod/p annotated\n")
            for (type, patch) in [
                ("strategic", #"{"spec":{"containers":[{"name":"c","image":"i1"}]}}"#),
                ("merge", #"{"metadata":{"labels":{"more":null}}}"#),
                ("json", #"[{"op":"replace","path":"/spec/containers/0/image","value":"i2"}]"#),
            ] {
                let result = try await kubectl.run("patch", "pod", "p", "--type", type, "-p", patch)
                #expect(result.output.contains("pod/p patched"), "\(result.errors)")
            }
            #expect(
                try await kubectl.run(
                    "get", "pod", "p", "-o", "jsonpath={.spec.containers[0].image}{.metadata.labels.more}"
                )
                .output == "i2")
            try await kubectl.run("create", "-f", "-", input: nginxController)
            let scaled = try await kubectl.run("scale", "rc", "nginx-controller", "--replicas=5")
            #expect(scaled.output == "replicationcontroller/nginx-controller scaled\n", "\(scaled.errors)")
            #expect(
                try await kubectl.run("get", "rc", "nginx-controller", "-o", "jsonpath={.spec.replicas}").output == "5")
            let guarded = try await kubectl.run(
                "scale", "rc", "nginx-controller", "--current-replicas=5", "--replicas=2")
            #expect(guarded.status == 0, "\(guarded.errors)")
            #expect(try await kubectl.run("create", "namespace", "ns").output == "namespace/ns created\n")
            #expect(
                try await kubectl.run("create", "configmap", "c", "--from-literal=k=v").output
                    == "configmap/c created\n")
            #expect(
                try await kubectl.run("create", "secret", "generic", "s", "--from-literal=k=v").output
                    == "secret/s created\n"
            )
            #expect(
                try await kubectl.run("create", "service", "clusterip", "svc", "--tcp=80:8080").output
                    == "service/svc created\n")
            #expect(try await kubectl.run("get", "svc").output.contains("10.254.0.1"))
            #expect(try await kubectl.run("get", "pods", "-w", "--request-timeout=2s").output.contains("p "))
            #expect(try await kubectl.run("api-resources").output.contains("replicationcontrollers"))
            #expect(try await kubectl.run("auth", "can-i", "create", "pods").output == "yes\n")
        }
    }

    @Test(
        arguments: Kubectl.programs,
        [
            // Newer kubectls look for a definition of the kind first and name only the file.
            (#"{"kind":"Widget","apiVersion":"v1","metadata":{"name":"w"}}"#, "STDIN"),
            (
                #"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"w"},"spec":{"containers":[{"name":"c"}]}}"#,
                "spec.containers[0].image"
            ),
            (pod("Bad_Name"), "metadata.name"),
            (
                #"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"w"},"spec":{"containers":[{"name":"c","image":"i","ports":[{"containerPort":80,"hostPort":70000}]}]}}"#,
                "hostPort"
            ),
            (
                #"{"id":"w","kind":"Pod","apiVersion":"v1beta1","desiredState":{"manifest":{"containers":[{"name":"c"}]}}}"#,
                "image"
            ),
        ])
    func `a bad manifest is refused with the field's name and stores nothing`(program: String, row: (String, String))
        async throws
    {
        try await withKubectl(program) { kubectl in
            let result = try await kubectl.run("create", "-f", "-", input: row.0)
            #expect(result.status != 0 && result.errors.contains(row.1), "\(result)")
            #expect(try await kubectl.run("get", "pods", "-o", "name").output == "")
        }
    }
}
