import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.ElectionNotNeededException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Administers a cluster: takes commands on standard input, a JSON object a line, and answers each in a line. Only
 * administrator.ts runs it: java -cp 'JARS/*' Administrator.java BOOTSTRAP
 */
public class Administrator {
  private static final ObjectMapper JSON = new ObjectMapper();
  /** A broker that does not answer for this long (it may be frozen) is left for another. */
  private static final int REQUEST_TIMEOUT_MS = 5_000;
  private static final int COMMAND_TIMEOUT_MS = 60_000;
  private static final long READ_TIMEOUT_MS = 120_000;
  private static final long LOOK_EVERY_MS = 50;
  /** A broker learns of a new topic a moment after the controller has made it. */
  private static final long LAG_MS = 2_000;

  private final String bootstrap;
  private final Admin admin;

  private Administrator(String bootstrap) {
    this.bootstrap = bootstrap;
    this.admin = Admin.create(settings());
  }

  public static void main(String[] args) throws Exception {
    Administrator administrator = new Administrator(args[0]);
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = lines.readLine()) != null;) {
      JsonNode asked = JSON.readTree(line);
      ObjectNode answer = JSON.createObjectNode().put("id", asked.get("id").asInt());
      try {
        answer.set("value", administrator.act(asked.get("command").asText(), asked));
      } catch (Exception error) {
        Throwable cause = error instanceof ExecutionException ? error.getCause() : error;
        answer.put("error", asked.get("command").asText() + ": " + cause);
      }
      out.println(JSON.writeValueAsString(answer));
    }
    // Its standard input ends with whom it works for: nothing is worth waiting for then.
    Runtime.getRuntime().halt(0);
  }

  private JsonNode act(String command, JsonNode asked) throws Exception {
    String topic = asked.path("topic").asText();
    switch (command) {
      case "createTopic":
        return done(admin.createTopics(List.of(newTopic(topic, asked))).all());
      case "deleteTopic":
        return done(admin.deleteTopics(List.of(topic)).all());
      case "addPartitions":
        return done(admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(asked.get("total").asInt()))).all());
      case "setTopicConfig":
        return setTopicConfig(topic, asked.get("config"));
      case "describe":
        return JSON.valueToTree(describe(topic).stream().map(Administrator::state).toList());
      case "electLeaders":
        return electLeaders(topic, ElectionType.valueOf(asked.get("election").asText()));
      case "reassign":
        return reassign(topic, asked.get("replicas"));
      case "setQuota":
        return setQuota(asked.get("clientId").asText(), asked.get("consumerByteRate"));
      case "access":
        return access(asked);
      case "produce":
        return produce(topic, asked);
      case "read":
        return read(topic, asked.get("from"));
      default:
        throw new IllegalArgumentException("Not a command");
    }
  }

  private static JsonNode done(Future<?> future) throws Exception {
    future.get();
    return JSON.nullNode();
  }

  private Map<String, Object> settings() {
    Map<String, Object> settings = new HashMap<>();
    settings.put("bootstrap.servers", bootstrap);
    settings.put("client.id", "administrator");
    settings.put("request.timeout.ms", REQUEST_TIMEOUT_MS);
    settings.put("default.api.timeout.ms", COMMAND_TIMEOUT_MS);
    settings.put("reconnect.backoff.max.ms", 200);
    settings.put("metadata.max.age.ms", 1_000);
    return settings;
  }

  private static NewTopic newTopic(String name, JsonNode asked) {
    Map<String, String> config = new HashMap<>();
    asked.get("config").properties().forEach(entry -> config.put(entry.getKey(), entry.getValue().asText()));
    NewTopic topic = asked.has("replicas")
        ? new NewTopic(name, assignment(asked.get("replicas")))
        : new NewTopic(name, Optional.of(asked.get("partitions").asInt()), Optional.empty());
    return topic.configs(config);
  }

  /** By partition, from a list of lists of brokers. */
  private static Map<Integer, List<Integer>> assignment(JsonNode replicas) {
    Map<Integer, List<Integer>> assignment = new HashMap<>();
    for (int partition = 0; partition < replicas.size(); partition++) {
      List<Integer> brokers = new ArrayList<>();
      replicas.get(partition).forEach(broker -> brokers.add(broker.asInt()));
      assignment.put(partition, brokers);
    }
    return assignment;
  }

  private JsonNode setTopicConfig(String topic, JsonNode config) throws Exception {
    List<AlterConfigOp> changes = new ArrayList<>();
    config.properties().forEach(entry -> {
      boolean isDefault = entry.getValue().isNull();
      ConfigEntry value = new ConfigEntry(entry.getKey(), isDefault ? "" : entry.getValue().asText());
      changes.add(new AlterConfigOp(value, isDefault ? AlterConfigOp.OpType.DELETE : AlterConfigOp.OpType.SET));
    });
    Map<ConfigResource, Collection<AlterConfigOp>> all = new HashMap<>();
    all.put(new ConfigResource(ConfigResource.Type.TOPIC, topic), changes);
    return done(admin.incrementalAlterConfigs(all).all());
  }

  private List<TopicPartitionInfo> describe(String topic) throws Exception {
    long deadline = System.currentTimeMillis() + LAG_MS;
    while (true) {
      try {
        return admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions();
      } catch (ExecutionException error) {
        boolean isUnknown = error.getCause() instanceof UnknownTopicOrPartitionException;
        if (!isUnknown || System.currentTimeMillis() > deadline) throw error;
        Thread.sleep(LOOK_EVERY_MS);
      }
    }
  }

  private static Map<String, Object> state(TopicPartitionInfo partition) {
    Node leader = partition.leader();
    return Map.of(
        "partition", partition.partition(),
        "leader", leader == null || leader.isEmpty() ? -1 : leader.id(),
        "replicas", partition.replicas().stream().map(Node::id).toList(),
        "isr", partition.isr().stream().map(Node::id).toList());
  }

  private JsonNode electLeaders(String topic, ElectionType type) throws Exception {
    List<TopicPartition> partitions =
        describe(topic).stream().map(each -> new TopicPartition(topic, each.partition())).toList();
    Map<TopicPartition, Optional<Throwable>> results =
        admin.electLeaders(type, new HashSet<>(partitions)).partitions().get();
    for (Optional<Throwable> error : results.values()) {
      if (error.isPresent() && !(error.get() instanceof ElectionNotNeededException)) {
        throw new IllegalStateException(error.get());
      }
    }
    return JSON.nullNode();
  }

  private JsonNode reassign(String topic, JsonNode replicas) throws Exception {
    Map<TopicPartition, Optional<NewPartitionReassignment>> changes = new HashMap<>();
    assignment(replicas).forEach((partition, brokers) ->
        changes.put(new TopicPartition(topic, partition), Optional.of(new NewPartitionReassignment(brokers))));
    admin.alterPartitionReassignments(changes).all().get();
    while (!admin.listPartitionReassignments(changes.keySet()).reassignments().get().isEmpty()) {
      Thread.sleep(LOOK_EVERY_MS);
    }
    return JSON.nullNode();
  }

  private JsonNode setQuota(String clientId, JsonNode rate) throws Exception {
    ClientQuotaEntity entity = new ClientQuotaEntity(Map.of(ClientQuotaEntity.CLIENT_ID, clientId));
    Double value = rate.isNull() ? null : rate.asDouble();
    ClientQuotaAlteration.Op change = new ClientQuotaAlteration.Op("consumer_byte_rate", value);
    return done(admin.alterClientQuotas(List.of(new ClientQuotaAlteration(entity, List.of(change)))).all());
  }

  private JsonNode access(JsonNode asked) throws Exception {
    AclOperation operation = AclOperation.valueOf(asked.path("operation").asText("ALL"));
    AclPermissionType permission = AclPermissionType.valueOf(asked.get("permission").asText());
    AccessControlEntry entry =
        new AccessControlEntry(asked.get("principal").asText(), "*", operation, permission);
    List<AclBinding> bindings = new ArrayList<>();
    for (ResourceType type : List.of(ResourceType.TOPIC, ResourceType.GROUP)) {
      JsonNode name = asked.path(type.name().toLowerCase());
      if (name.isMissingNode()) continue;
      bindings.add(new AclBinding(new ResourcePattern(type, name.asText(), PatternType.LITERAL), entry));
    }
    if (!asked.path("remove").asBoolean()) return done(admin.createAcls(bindings).all());
    return done(admin.deleteAcls(bindings.stream().map(AclBinding::toFilter).toList()).all());
  }

  private JsonNode produce(String topic, JsonNode asked) throws Exception {
    Map<String, Object> settings = settings();
    settings.put("acks", asked.get("acks").asText());
    settings.put("enable.idempotence", false);
    settings.put("retries", 0);
    settings.put("linger.ms", 0);
    settings.put("delivery.timeout.ms", 2 * REQUEST_TIMEOUT_MS);
    settings.remove("default.api.timeout.ms");
    int partition = asked.get("partition").asInt();
    ArrayNode offsets = JSON.createArrayNode();
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      for (JsonNode value : asked.get("values")) {
        sent.add(producer.send(new ProducerRecord<>(topic, partition, null, value.asText())));
      }
      for (Future<RecordMetadata> record : sent) offsets.add(record.get().offset());
    }
    return offsets;
  }

  private JsonNode read(String topic, JsonNode from) throws Exception {
    Map<String, Object> settings = settings();
    settings.put("isolation.level", "read_committed");
    settings.put("auto.offset.reset", "earliest");
    settings.put("max.poll.records", 10_000);
    ArrayNode records = JSON.createArrayNode();
    ObjectNode ends = JSON.createObjectNode();
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
      List<TopicPartition> partitions = describe(topic).stream()
          .map(each -> new TopicPartition(topic, each.partition())).toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      for (TopicPartition partition : partitions) {
        JsonNode offset = from.path(String.valueOf(partition.partition()));
        if (!offset.isMissingNode()) consumer.seek(partition, offset.asLong());
      }
      Map<TopicPartition, Long> until = consumer.endOffsets(partitions);
      until.forEach((partition, end) -> ends.put(String.valueOf(partition.partition()), end));
      long deadline = System.currentTimeMillis() + READ_TIMEOUT_MS;
      List<TopicPartition> left = new ArrayList<>(partitions);
      while (!left.isEmpty()) {
        if (System.currentTimeMillis() > deadline) throw new TimeoutException("Not read: " + left);
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
          if (record.offset() >= until.get(new TopicPartition(topic, record.partition()))) continue;
          records.addArray().add(record.partition()).add(record.offset()).add(record.key()).add(record.value());
        }
        left.removeIf(partition -> consumer.position(partition) >= until.get(partition));
        // What comes after its end is not wanted.
        consumer.pause(partitions.stream().filter(each -> !left.contains(each)).toList());
      }
    }
    ObjectNode answer = JSON.createObjectNode();
    answer.set("records", records);
    answer.set("ends", ends);
    return answer;
  }
}
