/// One line of a container's log file as the runtime writes it: `2026-11-23T17:47:40.510489779Z stdout F text`.
///
/// Source: Kubernetes, "CRI: Log management for container stdout/stderr streams". `P` marks a part of a line that goes
/// on in the next record.
package struct ContainerLogLine: Sendable, Equatable {
    package let timestamp: ArraySlice<UInt8>
    package let isError: Bool
    package let isPartial: Bool
    package let text: ArraySlice<UInt8>

    /// Reads a record without its line feed; `nil` when it is not of that form.
    package init?(_ record: ArraySlice<UInt8>) {
        guard let first = record.firstIndex(of: 0x20), first > record.startIndex,
            let second = record[(first + 1)...].firstIndex(of: 0x20)
        else { return nil }
        let third = record[(second + 1)...].firstIndex(of: 0x20) ?? record.endIndex
        switch record[(first + 1)..<second] {
        case let stream where stream.elementsEqual("stdout".utf8): isError = false
        case let stream where stream.elementsEqual("stderr".utf8): isError = true
        default: return nil
        }
        // Tags are separated by colons; the first says whether the line is whole.
        switch record[(second + 1)..<third].split(separator: 0x3a).first {
        case let tag? where tag.elementsEqual("F".utf8): isPartial = false
        case let tag? where tag.elementsEqual("P".utf8): isPartial = true
        default: return nil
        }
        timestamp = record[..<first]
        text = third == record.endIndex ? [] : record[(third + 1)...]
    }
}
