import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.opensearch.analysis.common.CommonAnalysisPlugin;
import org.opensearch.common.logging.LogConfigurator;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.geo.GeoModulePlugin;
import org.opensearch.index.mapper.MapperExtrasPlugin;
import org.opensearch.index.reindex.ReindexPlugin;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.painless.PainlessPlugin;
import org.opensearch.transport.Netty4Plugin;

/**
 * A single OpenSearch node on this machine, without a download of a distribution.
 *
 * Arguments: a folder for its data, its port, and the number of the process with whose end it ends too.
 */
public final class SearchNode extends Node {
    private SearchNode(Environment environment) {
        super(
            environment,
            List.of(
                Netty4Plugin.class,
                GeoModulePlugin.class,
                ReindexPlugin.class,
                PainlessPlugin.class,
                MapperExtrasPlugin.class,
                CommonAnalysisPlugin.class),
            true);
    }

    public static void main(String[] arguments) throws Exception {
        ProcessHandle owner = ProcessHandle.of(Long.parseLong(arguments[2])).orElseThrow();
        LogConfigurator.registerErrorListener();
        Settings settings = settings(Path.of(arguments[0]), arguments[1]);
        try (Node node = new SearchNode(
                InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "node"))) {
            node.start();
            owner.onExit().join();
        }
        System.exit(0); // threads that are no daemons would keep it
    }

    private static Settings settings(Path home, String port) {
        return Settings.builder()
            .put("path.home", home.toString())
            .put("cluster.name", "citystream-tests")
            .put("node.name", "node")
            .put("discovery.type", "single-node")
            .put("network.host", "127.0.0.1")
            .put("http.port", port)
            .put("transport.port", "0")
            .put("transport.type", "netty4")
            .put("http.type", "netty4")
            .put("cluster.routing.allocation.disk.threshold_enabled", false)
            .put("action.destructive_requires_name", false)
            .build();
    }
}
