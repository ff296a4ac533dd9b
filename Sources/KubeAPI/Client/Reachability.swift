import KubeSchema
import Logging

extension KubeClient {
    /// Returns when the API server answers at all, or the task is cancelled. While it doesn't, one line says so.
    package func waitUntilReachable(time: any TimeSource = SystemTime()) async {
        var failures = 0
        while !Task.isCancelled {
            do {
                _ = try await transport.send(APIRequest(.get, "/version"))
                break
            } catch {
                guard case .unreachable = error else { break }  // it refuses or speaks oddly, but it is there
                failures += 1
                if failures == 1 { logger.warning("\(error); waiting until it answers") }
                try? await time.sleep(
                    for: Backoff(base: .milliseconds(200), cap: .seconds(5)).delay(failures: failures))
            }
        }
        if failures > 0, !Task.isCancelled { logger.info("the API server answers") }
    }
}
