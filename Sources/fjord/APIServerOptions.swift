import ArgumentParser
import FoundationEssentials
import KubeAPI

/// Where the API server is: `@OptionGroup var server: APIServerOptions`.
struct APIServerOptions: ParsableArguments {
    @Option(help: "The API server: http://HOST:PORT, https://HOST:PORT, or HOST:PORT for plain HTTP.")
    var master: String?

    @Option(help: "Path of a kubeconfig, for an API server with TLS.")
    var kubeconfig: String?

    @Option(help: "PEM file of the client's certificate, beside --master.")
    var clientCertificate: String?

    @Option(help: "PEM file of the certificate's key.")
    var clientKey: String?

    @Option(help: "PEM file of the authority that signed the API server's certificate.")
    var certificateAuthority: String?

    @Flag(help: "Don't check the API server's certificate.")
    var insecureSkipTlsVerify = false

    func configuration() throws -> ClientConfiguration {
        var configuration: ClientConfiguration
        if let kubeconfig {
            configuration = try .kubeconfig(kubeconfig)
            if let master { configuration.server = try ClientConfiguration.master(master).server }
        } else if let master {
            configuration = try .master(master)
        } else {
            throw ValidationError("expected --master=http://HOST:PORT or --kubeconfig=PATH, to know the API server")
        }
        if let clientCertificate {
            configuration.clientCertificate = try read(clientCertificate, "--client-certificate")
        }
        if let clientKey { configuration.clientKey = try read(clientKey, "--client-key") }
        if let certificateAuthority {
            configuration.certificateAuthority = try read(certificateAuthority, "--certificate-authority")
        }
        if insecureSkipTlsVerify { configuration.isInsecure = true }
        return configuration
    }

    private func read(_ path: String, _ flag: String) throws -> [UInt8] {
        guard let bytes = try? Data(contentsOf: URL(filePath: path)) else {
            throw ValidationError("\(flag): cannot read \(path)")
        }
        return Array(bytes)
    }
}

/// A time in Go's notation, as Kubernetes' flags have it: `10s`, `1m30s`, `500ms`.
struct DurationArgument: ExpressibleByArgument {
    var duration: Duration

    init(_ duration: Duration) { self.duration = duration }

    init?(argument: String) {
        var rest = argument[...]
        var total = Duration.zero
        guard !rest.isEmpty else { return nil }
        if rest == "0" {
            duration = .zero
            return
        }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isNumber || $0 == "." }
            let unit = rest.dropFirst(digits.count).prefix { $0.isLetter }
            guard let amount = Double(digits), amount.isFinite, amount < 1e9 else { return nil }
            switch unit {
            case "h": total += .seconds(amount * 3600)
            case "m": total += .seconds(amount * 60)
            case "s": total += .seconds(amount)
            case "ms": total += .milliseconds(amount)
            default: return nil
            }
            rest = rest.dropFirst(digits.count + unit.count)
        }
        duration = total
    }

    var defaultValueDescription: String { "\(duration.components.seconds)s" }
}
