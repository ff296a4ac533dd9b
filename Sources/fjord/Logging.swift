import ArgumentParser
import Glibc
import Logging
import Synchronization

/// How much a component says about itself: `@OptionGroup var logging: LogOptions`.
struct LogOptions: ParsableArguments {
    @Option(
        name: .customLong("v"),
        help: ArgumentHelp(
            "How much to log: 0 to 3 for events, 4 and 5 for decisions too, from 6 on everything.", valueName: "n"))
    var verbosity = 0
}

/// Sends everything that this process logs to standard error, one line an event, and returns the component's logger.
///
/// Call it once, before the first logger is made; a second call changes nothing but makes another logger.
///
/// - Parameters:
///   - component: The name that stands in each line, such as `kubelet`.
///   - verbosity: The value of `--v`.
@discardableResult
func bootstrapLogging(component: String, verbosity: Int) -> Logger {
    let first = bootstrapped.withLock { done in
        defer { done = true }
        return !done
    }
    let level: Logger.Level = verbosity >= 6 ? .trace : verbosity >= 4 ? .debug : .info
    if first {
        LoggingSystem.bootstrap { _ in LineLogHandler(component: component, logLevel: level) }
    }
    return Logger(label: component)
}

private let bootstrapped = Mutex(false)

/// Writes `2026-01-31T12:00:00.000Z info kubelet: what happened key=value` with a single `write(2)`, so that lines of
/// several threads or processes don't mix.
private struct LineLogHandler: LogHandler {
    let component: String
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    init(component: String, logLevel: Logger.Level) {
        self.component = component
        self.logLevel = logLevel
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var line = "\(timestamp()) \(event.level) \(component): \(event.message)"
        if let error = event.error { line += " error=\(quoted("\(error)"))" }
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(quoted("\(value)"))" }
        line = String(line.map { $0.isNewline ? " " : $0 }) + "\n"
        line.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    private func quoted(_ value: String) -> String {
        value.contains { $0 == " " || $0 == "\"" || $0.isNewline } || value.isEmpty ? "\"\(value)\"" : value
    }
}

/// Now, in UTC to the millisecond, as RFC 3339 has it.
private func timestamp() -> String {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    var parts = tm()
    gmtime_r(&now.tv_sec, &parts)
    func digits(_ value: some BinaryInteger, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
    return "\(digits(parts.tm_year + 1900, 4))-\(digits(parts.tm_mon + 1, 2))-\(digits(parts.tm_mday, 2))"
        + "T\(digits(parts.tm_hour, 2)):\(digits(parts.tm_min, 2)):\(digits(parts.tm_sec, 2))"
        + ".\(digits(now.tv_nsec / 1_000_000, 3))Z"
}
