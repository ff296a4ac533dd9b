import Foundation
import Testing

/// A real kubectl with a home directory of its own, since it caches what a server serves.
struct Kubectl: Sendable {
    let program: String
    let server: String
    let home: URL

    struct Result: Sendable {
        let status: Int32
        let output: String
        let errors: String
    }

    /// Programs to run the tests with: the machine's, and an older one that `FJORD_OLD_KUBECTL` names.
    static var programs: [String] {
        ["/usr/bin/kubectl", ProcessInfo.processInfo.environment["FJORD_OLD_KUBECTL"] ?? ""]
            .filter { FileManager.default.isExecutableFile(atPath: $0) }
    }

    @discardableResult
    func run(_ arguments: String..., input: String? = nil) async throws -> Result {
        try await run(arguments, input: input)
    }

    @discardableResult
    func run(_ arguments: [String], input: String? = nil) async throws -> Result {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["--server", server] + arguments
        process.environment = ["HOME": home.path, "PATH": "/usr/bin:/bin"]
        let outputFile = home.appendingPathComponent(UUID().uuidString)
        let errorFile = home.appendingPathComponent(UUID().uuidString)
        for file in [outputFile, errorFile] { FileManager.default.createFile(atPath: file.path, contents: nil) }
        process.standardOutput = try FileHandle(forWritingTo: outputFile)
        process.standardError = try FileHandle(forWritingTo: errorFile)
        if let input {
            let inputFile = home.appendingPathComponent(UUID().uuidString)
            try Data(input.utf8).write(to: inputFile)
            process.standardInput = try FileHandle(forReadingFrom: inputFile)
        } else {
            process.standardInput = FileHandle.nullDevice
        }
        try process.run()
        // Polled, so that no thread is held on which the server in this process might have to run.
        let deadline = ContinuousClock.now + .seconds(60)
        while process.isRunning {
            if ContinuousClock.now > deadline { process.terminate() }
            try await Task.sleep(for: .milliseconds(5))
        }
        return Result(
            status: process.terminationStatus,
            output: String(decoding: try Data(contentsOf: outputFile), as: UTF8.self),
            errors: String(decoding: try Data(contentsOf: errorFile), as: UTF8.self))
    }
}
