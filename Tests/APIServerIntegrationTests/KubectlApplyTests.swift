import Foundation
import Testing

private func config(_ data: String, name: String = "c") -> String {
    #"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"\#(name)"},"data":{\#(data)}}"#
}

private func deployment(_ image: String, replicas: String = #""replicas":2,"#) -> String {
    """
    {"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"web"},"spec":{\(replicas)
    "selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},
    "spec":{"containers":[{"name":"c","image":"\(image)"}]}}}}
    """
}

/// Server-side apply and what else writes objects, as kubectl sees it. Needs `/usr/bin/kubectl`.
@Suite(.serialized, .timeLimit(.minutes(5))) struct KubectlApplyTests {
    @Test(arguments: Kubectl.programs) func `configurations are applied on the server, conflicts told and forced`(
        program: String
    ) async throws {
        try await withKubectl(program) { kubectl in
            let apply = ["apply", "--server-side", "-f", "-"]
            let first = try await kubectl.run(apply, input: config(#""a":"1","b":"1""#))
            #expect(first.output == "configmap/c serverside-applied\n", "\(first.errors)")
            let fields = try await kubectl.run(
                "get", "configmap", "c", "-o",
                "jsonpath={.metadata.managedFields[*].manager}"
                    + " {.metadata.managedFields[*].operation} {.metadata.managedFields[0].fieldsV1}")
            #expect(fields.output == #"kubectl Apply {"f:data":{"f:a":{},"f:b":{}}}"#)

            let other = try await kubectl.run(apply + ["--field-manager", "other"], input: config(#""a":"2""#))
            #expect(other.status != 0)
            #expect(
                other.errors.contains("Apply failed with 1 conflict: conflict with \"kubectl\": .data.a"),
                "\(other.errors)")
            let forced = try await kubectl.run(
                apply + ["--field-manager", "other", "--force-conflicts"], input: config(#""a":"2""#))
            #expect(forced.output == "configmap/c serverside-applied\n", "\(forced.errors)")
            // What kubectl leaves out goes, what the other one took stays.
            #expect(try await kubectl.run(apply, input: config("")).status == 0)
            let data = try await kubectl.run("get", "configmap", "c", "-o", "jsonpath={.data}")
            #expect(data.output == #"{"a":"2"}"#)
        }
    }

    @Test(arguments: Kubectl.programs) func `an object applied from the client goes over to the server`(
        program: String
    ) async throws {
        try await withKubectl(program) { kubectl in
            try await kubectl.run("apply", "-f", "-", input: config(#""a":"1","b":"1""#))
            let over = try await kubectl.run(["apply", "--server-side", "-f", "-"], input: config(#""a":"2""#))
            #expect(over.output == "configmap/c serverside-applied\n", "\(over.errors)")
            let data = try await kubectl.run("get", "configmap", "c", "-o", "jsonpath={.data.a}")
            #expect(data.output == "2")
            // And back: the annotation has been kept up to date.
            let back = try await kubectl.run("apply", "-f", "-", input: config(#""a":"2""#))
            #expect(back.status == 0, "\(back.errors)")
        }
    }

    @Test func `differences are computed on the server, owners shown on demand`() async throws {
        try await withKubectl("/usr/bin/kubectl") { kubectl in
            #expect(try await kubectl.run(["apply", "--server-side", "-f", "-"], input: deployment("a:1")).status == 0)
            let same = try await kubectl.run(["diff", "--server-side", "-f", "-"], input: deployment("a:1"))
            #expect(same.status == 0, "\(same.output)\(same.errors)")
            let differs = try await kubectl.run(["diff", "--server-side", "-f", "-"], input: deployment("a:2"))
            #expect(differs.status == 1 && differs.output.contains("+      - image: a:2"), "\(differs)")
            let image = try await kubectl.run(
                "get", "deployment", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image}")
            #expect(image.output == "a:1", "a difference changes nothing")
            let shown = try await kubectl.run("get", "deployment", "web", "-o", "yaml", "--show-managed-fields")
            #expect(shown.output.contains("manager: kubectl") && shown.output.contains(#"k:{"name":"c"}"#))
            #expect(try await !kubectl.run("get", "deployment", "web", "-o", "yaml").output.contains("managedFields"))
        }
    }

    @Test func `scaling is owned by its subresource and conflicts with what was applied`() async throws {
        try await withKubectl("/usr/bin/kubectl") { kubectl in
            let apply = ["apply", "--server-side", "-f", "-"]
            try await kubectl.run(apply, input: deployment("a:1"))
            let scaled = try await kubectl.run("scale", "deployment", "web", "--replicas=5")
            #expect(scaled.output == "deployment.apps/web scaled\n", "\(scaled.errors)")
            let conflict = try await kubectl.run(apply, input: deployment("a:1"))
            #expect(
                conflict.errors.contains(
                    #"conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas"#),
                "\(conflict.errors)")
            // Without the field the applier leaves it to whoever scales.
            #expect(try await kubectl.run(apply, input: deployment("a:2", replicas: "")).status == 0)
            let replicas = try await kubectl.run(
                "get", "deployment", "web", "-o", "jsonpath={.spec.replicas} {.metadata.generation}")
            #expect(replicas.output == "5 3")
        }
    }

    @Test func `several mistakes are named together, in Kubernetes' words`() async throws {
        try await withKubectl("/usr/bin/kubectl") { kubectl in
            let bad = deployment("", replicas: #""replicas":-1,"strategy":{"type":"Sudden"},"#)
                .replacingOccurrences(of: #""labels":{"app":"web"}"#, with: #""labels":{"app":"other"}"#)
            let result = try await kubectl.run("create", "-f", "-", input: bad)
            for part in [
                #"The Deployment "web" is invalid:"#,
                "* spec.replicas: Invalid value: -1: must be greater than or equal to 0",
                #"* spec.template.metadata.labels: Invalid value: {"app":"other"}: `selector` does not match template `labels`"#,
                "* spec.template.spec.containers[0].image: Required value",
                #"* spec.strategy.type: Unsupported value: "Sudden": supported values: "Recreate", "RollingUpdate""#,
            ] { #expect(result.errors.contains(part), "\(result.errors)") }
        }
    }

    @Test func `tokens name their account, requests are approved, budgets are made`() async throws {
        try await withKubectl("/usr/bin/kubectl") { kubectl in
            #expect(try await kubectl.run("create", "serviceaccount", "robot").status == 0)
            let token = try await kubectl.run("create", "token", "robot", "--duration=20m")
            #expect(token.output.split(separator: ".").count == 3, "\(token.errors)")
            #expect(try await kubectl.run("create", "token", "robot", "--duration=1m").errors.contains("10 minutes"))
            let who = try await kubectl.run("auth", "whoami")
            #expect(who.output.contains("system:unsecured"), "\(who.errors)")
            let request = """
                {"kind":"CertificateSigningRequest","apiVersion":"certificates.k8s.io/v1","metadata":{"name":"me"},
                "spec":{"request":"eA==","signerName":"example.com/s","usages":["client auth"]}}
                """
            #expect(try await kubectl.run("create", "-f", "-", input: request).status == 0)
            let approved = try await kubectl.run("certificate", "approve", "me")
            #expect(
                approved.output == "certificatesigningrequest.certificates.k8s.io/me approved\n", "\(approved.errors)")
            #expect(try await kubectl.run("certificate", "deny", "me").status != 0)
            let budget = try await kubectl.run("create", "pdb", "b", "--selector=app=web", "--min-available=1")
            #expect(budget.output == "poddisruptionbudget.policy/b created\n", "\(budget.errors)")
            let job = try await kubectl.run("create", "job", "j", "--image=x")
            #expect(job.output == "job.batch/j created\n", "\(job.errors)")
            #expect(
                try await kubectl.run("create", "cronjob", "cj", "--image=x", "--schedule=* * *").errors.contains(
                    "expected exactly 5 fields"))
        }
    }
}
