import ArgumentParser
import ClusterStore
import EmbeddedStore
import FoundationEssentials
import Glibc
import ServiceLifecycle

/// `fjord store backup`
struct StoreBackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copy a store into a file while it is used: one consistent moment of it.",
        discussion: """
            From the file of a store on this machine, or with --endpoints over the network, as etcdctl snapshot save \
            does. The copy is checked before this ends with 0. An existing file is not overwritten.
            """)

    @Argument(help: "The file to make.") var file: String

    @Option(help: "The database file of the store.")
    var storePath = StoreCommand.defaultPath

    @Option(help: "Instead of --store-path: where the store listens, http://HOST:PORT or https://HOST:PORT.")
    var endpoints: String?

    @Option(name: .customLong("cacert"), help: "Authority of the store's certificate (PEM).")
    var authority: String?

    @Option(name: .customLong("cert"), help: "Certificate to show to the store (PEM).")
    var certificate: String?

    @Option(name: .customLong("key"), help: "Key of that certificate (PEM).")
    var key: String?

    func run() async throws {
        let summary: StoreBackup.Summary
        if let endpoints {
            try await download(endpoints)
            summary = try StoreBackup.verify(file)
        } else {
            summary = try StoreBackup.copy(from: storePath, to: file)
        }
        print("\(file): revision \(summary.revision), \(summary.keys) keys, \(summary.bytes) bytes")
    }

    private func download(_ endpoints: String) async throws {
        let logger = bootstrapLogging(component: "store", verbosity: 0)
        var tls: EtcdTLS?
        if authority != nil || certificate != nil || key != nil {
            tls = EtcdTLS(certificateAuthorityFile: authority, certificateFile: certificate, keyFile: key)
        }
        let store = try EtcdStore(
            endpoints: endpoints.split(separator: ",").map(String.init), tls: tls, logger: logger)
        let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StoreError.refused("cannot make \(file): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await store.run() }
                try await store.snapshot { chunk in
                    var rest = chunk[...]
                    while !rest.isEmpty {
                        let written = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
                        guard written > 0 else {
                            throw StoreError.refused("write \(file): \(String(cString: strerror(errno)))")
                        }
                        rest = rest.dropFirst(written)
                    }
                }
                group.cancelAll()
            }
            guard fsync(descriptor) == 0 else {
                throw StoreError.refused("fsync \(file): \(String(cString: strerror(errno)))")
            }
        } catch {
            unlink(file)
            throw error
        }
    }
}
