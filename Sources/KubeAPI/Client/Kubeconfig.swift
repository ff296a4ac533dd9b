import FoundationEssentials
package import KubeSchema

extension ClientConfiguration {
    /// Reads a kubeconfig file.
    ///
    /// - Parameter context: `nil` for the file's current context.
    package static func kubeconfig(_ path: String, context: String? = nil) throws(ConfigurationError)
        -> ClientConfiguration
    {
        guard let bytes = try? Data(contentsOf: URL(filePath: path)) else {
            throw ConfigurationError("cannot read the kubeconfig \(path): check that it exists and may be read")
        }
        let document: JSON
        do {
            document = try JSON(yaml: Array(bytes))
        } catch {
            throw ConfigurationError("the kubeconfig \(path) is no YAML: \(error)")
        }
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        return try ClientConfiguration(kubeconfig: document, context: context, path: path, folder: folder)
    }

    /// - Parameters:
    ///   - path: for messages.
    ///   - folder: where relative file names in the document start.
    init(kubeconfig document: JSON, context name: String?, path: String, folder: String) throws(ConfigurationError) {
        func entry(_ list: String, _ member: String, _ name: String) throws(ConfigurationError) -> JSON {
            guard let found = document[list]?.array?.first(where: { $0["name"]?.string == name })?[member] else {
                throw ConfigurationError("the kubeconfig \(path) has no \(member) \"\(name)\" in its \(list)")
            }
            return found
        }
        func bytes(_ entry: JSON, _ member: String) throws(ConfigurationError) -> [UInt8]? {
            if let text = entry[member + "-data"]?.string, !text.isEmpty {
                guard let data = Data(base64Encoded: text, options: .ignoreUnknownCharacters) else {
                    throw ConfigurationError("\(member)-data in the kubeconfig \(path) is not base64")
                }
                return Array(data)
            }
            guard let name = entry[member]?.string, !name.isEmpty else { return nil }
            let file = name.hasPrefix("/") ? name : folder + "/" + name
            guard let data = try? Data(contentsOf: URL(filePath: file)) else {
                throw ConfigurationError("cannot read \(file), named as \(member) in the kubeconfig \(path)")
            }
            return Array(data)
        }
        guard let contextName = name ?? document["current-context"]?.string, !contextName.isEmpty else {
            throw ConfigurationError("the kubeconfig \(path) has no current-context")
        }
        let context = try entry("contexts", "context", contextName)
        guard let clusterName = context["cluster"]?.string else {
            throw ConfigurationError("the context \"\(contextName)\" in the kubeconfig \(path) names no cluster")
        }
        let cluster = try entry("clusters", "cluster", clusterName)
        guard let server = cluster["server"]?.string else {
            throw ConfigurationError("the cluster \"\(clusterName)\" in the kubeconfig \(path) has no server")
        }
        try self.init(server: server)
        namespace = context["namespace"]?.string
        certificateAuthority = try bytes(cluster, "certificate-authority")
        isInsecure = cluster["insecure-skip-tls-verify"]?.bool ?? false
        tlsServerName = cluster["tls-server-name"]?.string
        guard let userName = context["user"]?.string, !userName.isEmpty else { return }
        let user = try entry("users", "user", userName)
        clientCertificate = try bytes(user, "client-certificate")
        clientKey = try bytes(user, "client-key")
        if let token = user["token"]?.string, !token.isEmpty {
            authorization = .token(token)
        } else if let file = user["tokenFile"]?.string, !file.isEmpty {
            authorization = .tokenFile(file.hasPrefix("/") ? file : folder + "/" + file)
        } else if let name = user["username"]?.string, let password = user["password"]?.string {
            authorization = .basic(user: name, password: password)
        } else if user["exec"] != nil || user["auth-provider"] != nil {
            throw ConfigurationError(
                "the user \"\(userName)\" in the kubeconfig \(path) logs in by a plug-in, which is not supported: "
                    + "use a client certificate or a token")
        }
    }
}
