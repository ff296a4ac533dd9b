import FoundationEssentials
import LinuxKit

/// A client configuration file as kubectl and our components read it.
enum Kubeconfig {
    /// The file's text, with the certificates in it so that it works from anywhere.
    ///
    /// Source: https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
    static func text(cluster: String, server: String, user: String, pki: PublicKeyInfrastructure, file: String) throws
        -> String
    {
        func encoded(_ path: String) throws -> String { Data(try FileContents.read(path)).base64EncodedString() }
        return """
            apiVersion: v1
            kind: Config
            clusters:
            - name: \(cluster)
              cluster:
                server: \(server)
                certificate-authority-data: \(try encoded(pki.authorityPath))
            users:
            - name: \(user)
              user:
                client-certificate-data: \(try encoded(pki.certificatePath(file)))
                client-key-data: \(try encoded(pki.keyPath(file)))
            contexts:
            - name: \(cluster)
              context:
                cluster: \(cluster)
                user: \(user)
            current-context: \(cluster)

            """
    }
}
