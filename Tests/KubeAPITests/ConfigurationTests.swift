import KubeSchema
import Testing

@testable import KubeAPI

@Suite struct ConfigurationTests {
    @Test(arguments: [
        ("127.0.0.1:8080", "http://127.0.0.1:8080"), ("http://192.168.1.10:8080/", "http://192.168.1.10:8080"),
        ("https://master:6443", "https://master:6443"),
    ])
    func aMasterMayComeWithoutAScheme(_ row: (given: String, expected: String)) throws {
        #expect(try ClientConfiguration.master(row.given).server == row.expected)
    }

    @Test(arguments: ["", "ftp://x:1", "http://"])
    func whatIsNoAddressIsRefused(_ text: String) {
        #expect(throws: ConfigurationError.self) { try ClientConfiguration.master(text) }
    }

    @Test func aKubeconfigNamesServerAndCredentials() throws {
        let document: JSON = [
            "current-context": "c",
            "contexts": [["name": "c", "context": ["cluster": "k", "user": "u", "namespace": "n"]]],
            "clusters": [
                ["name": "k", "cluster": ["server": "https://10.0.0.1:6443", "certificate-authority-data": "Y2E="]]
            ],
            "users": [
                [
                    "name": "u",
                    "user": ["client-certificate-data": "Y2VydA==", "client-key-data": "a2V5", "token": "t"],
                ]
            ],
        ]
        let configuration = try ClientConfiguration(kubeconfig: document, context: nil, path: "p", folder: ".")
        #expect(configuration.server == "https://10.0.0.1:6443")
        #expect(configuration.certificateAuthority == Array("ca".utf8))
        #expect(configuration.clientCertificate == Array("cert".utf8))
        #expect(configuration.clientKey == Array("key".utf8))
        #expect(configuration.authorization == .token("t"))
        #expect(configuration.namespace == "n")
    }

    @Test func whatIsMissingIsNamed() {
        let document: JSON = ["current-context": "c", "contexts": [["name": "c", "context": ["cluster": "k"]]]]
        #expect {
            try ClientConfiguration(kubeconfig: document, context: nil, path: "/x/config", folder: ".")
        } throws: { error in
            "\(error)".contains("k") && "\(error)".contains("/x/config")
        }
    }
}
