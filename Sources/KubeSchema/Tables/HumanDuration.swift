/// Durations the way kubectl's users read them: two units at most, the smaller one only while it says something.
enum HumanDuration {
    /// `5s`, `119s`, `2m`, `9m59s`, `179m`, `7h59m`, `47h`, `7d23h`, `729d`, `7y364d`; up to a second in the future is
    /// `0s`, more is `<invalid>`.
    static func text(seconds: Int64) -> String {
        if seconds < -1 { return "<invalid>" }
        if seconds < 120 { return "\(max(0, seconds))s" }
        let minutes = seconds / 60
        if minutes < 10 { return pair(minutes, "m", seconds % 60, "s") }
        if minutes < 180 { return "\(minutes)m" }
        let hours = minutes / 60
        if hours < 8 { return pair(hours, "h", minutes % 60, "m") }
        if hours < 48 { return "\(hours)h" }
        let days = hours / 24
        if days < 8 { return pair(days, "d", hours % 24, "h") }
        if days < 2 * 365 { return "\(days)d" }
        let years = days / 365
        return years < 8 ? pair(years, "y", days % 365, "d") : "\(years)y"
    }

    private static func pair(_ major: Int64, _ unit: String, _ minor: Int64, _ minorUnit: String) -> String {
        minor == 0 ? "\(major)\(unit)" : "\(major)\(unit)\(minor)\(minorUnit)"
    }

    /// How long ago an API timestamp was, `<unknown>` without one.
    static func since(_ timestamp: JSON?, now: Int64) -> String {
        guard let text = timestamp?.string, let then = Timestamp(rfc3339: text) else { return "<unknown>" }
        return self.text(seconds: now - then.seconds)
    }
}
