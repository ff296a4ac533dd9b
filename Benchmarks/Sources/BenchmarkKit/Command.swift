import Foundation

/// A program that did not end well: what was run, and what it said.
package struct CommandError: Error, CustomStringConvertible {
    package let line: String
    package let status: Int32
    package let output: String

    package init(line: String, status: Int32, output: String) {
        self.line = line
        self.status = status
        self.output = output
    }

    package var description: String { "`\(line)` ended with \(status): \(output)" }
}

/// Runs programs of the system.
package enum Command {
    /// Runs `line`, split at spaces, to its end. Returns its standard output.
    @discardableResult
    package static func run(_ line: String) throws -> String {
        let process = make(line)
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let complaint = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw CommandError(line: line, status: process.terminationStatus, output: complaint + text)
        }
        return text
    }

    /// Starts `line` in the background, with its output in `log`.
    package static func start(_ line: String, log: String) throws -> Process {
        // Creating a file replaces what is there, a device too.
        if !FileManager.default.fileExists(atPath: log) {
            _ = FileManager.default.createFile(atPath: log, contents: nil)
        }
        let process = make(line)
        let file = FileHandle(forWritingAtPath: log)
        process.standardOutput = file
        process.standardError = file
        try process.run()
        return process
    }

    /// Polls until `condition` holds.
    package static func wait(for what: String, seconds: Double = 30, until condition: () throws -> Bool) throws {
        let deadline = Date().addingTimeInterval(seconds)
        while try !condition() {
            guard Date() < deadline else {
                throw CommandError(line: "wait for \(what)", status: -1, output: "not within \(seconds) s")
            }
            usleep(50_000)
        }
    }

    private static func make(_ line: String) -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = line.split(separator: " ").map(String.init)
        return process
    }
}
