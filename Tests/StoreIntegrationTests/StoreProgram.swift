import ClusterStore
import Foundation
import Testing

/// `fjord store`, the program built beside these tests, on loopback.
final class StoreProgram: Sendable {
    let folder: String
    let port: Int
    private let scheme: String
    private let arguments: [String]

    var storePath: String { folder + "/store.db" }
    var endpoint: String { "\(scheme)://127.0.0.1:\(port)" }
    /// Beside the folder, which may be a disk that tests fill.
    var log: String { folder + ".log" }

    /// - Parameters:
    ///   - folder: Where the store's file is.
    ///   - arguments: Flags beside those for path and address.
    init(in folder: String, scheme: String = "http", arguments: [String] = []) throws {
        self.folder = folder
        self.scheme = scheme
        self.arguments = arguments
        port = try freePort()
    }

    static let path: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: own).deletingLastPathComponent().path + "/fjord"
    }()

    /// Starts it; the caller kills it.
    func start() throws -> ChildProgram {
        try ChildProgram(
            Self.path, ["store", "--store-path", storePath, "--listen-client-urls", endpoint] + arguments, log: log)
    }

    /// Runs `fjord store …` to its end.
    static func run(_ arguments: String...) async throws -> (status: Int32, output: String) {
        try await command(path, ["store"] + arguments)
    }
}

/// Runs a program to its end. Returns its exit code and all that it said.
func command(_ path: String, _ arguments: [String]) async throws -> (status: Int32, output: String) {
    let directory = try TemporaryDirectory()
    let program = try ChildProgram(
        path, arguments, environment: ["ETCDCTL_API": "3"], log: directory.path + "/output")
    defer { program.kill() }
    let status = try await program.end()
    return (status, program.output)
}
