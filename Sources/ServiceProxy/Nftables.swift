import CNftables
package import LinuxKit

/// A transaction that the kernel or nftables refused.
package struct NftablesError: Error, CustomStringConvertible {
    /// What libnftables said, on one line.
    package let message: String
    package var description: String { "nftables: \(message)" }
}

/// Runs nftables commands through libnftables, each call as one transaction: all of it happens, or nothing.
///
/// A context of the library belongs to the thread that made it, and a network namespace too: every call has a thread of
/// its own.
package struct Nftables: Sendable {
    private let namespace: NetworkNamespace?

    /// - Parameter namespace: The namespace whose tables are meant; `nil` for the process's own.
    package init(namespace: NetworkNamespace? = nil) { self.namespace = namespace }

    /// Runs `commands` as one transaction. An empty list is nothing.
    package func run(_ commands: [String]) async throws {
        guard !commands.isEmpty else { return }
        try await onThread { try Self.run(commands.joined(separator: "\n")) }
    }

    /// Runs `body` on a thread of its own inside the namespace.
    func onThread<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        guard let namespace else { return try await DedicatedThread.run(name: "nftables", body) }
        return try await namespace.run(body)
    }

    private static func run(_ script: String) throws(NftablesError) {
        guard let context = nft_ctx_new(0) else { throw NftablesError(message: "cannot allocate a context") }
        defer { nft_ctx_free(context) }
        guard nft_ctx_buffer_output(context) == 0, nft_ctx_buffer_error(context) == 0 else {
            throw NftablesError(message: "cannot allocate its buffers")
        }
        guard nft_run_cmd_from_buffer(context, script) != 0 else { return }
        let lines = nft_ctx_get_error_buffer(context).map { String(cString: $0) } ?? "no reason given"
        let message = lines.split(separator: "\n").prefix(2).joined(separator: ": ")
        throw NftablesError(message: String(message.prefix(400)))
    }
}
