import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * What Kafka's own consumer makes of a fault, to compare with: prints partition, offset and time of arrival (ms since the
 * epoch) of each record from now on, a line each, after a first line `ready`. It has all partitions assigned, and is in
 * no group, so that nothing waits for a rebalance; its settings are Kafka's defaults, but for the age of metadata:
 * java -cp 'JARS/*' LogFollower.java BOOTSTRAP TOPIC CLIENT_ID METADATA_MAX_AGE_MS
 */
public class LogFollower {
  private static final Duration POLL = Duration.ofMillis(100);

  public static void main(String[] args) throws Exception {
    endWithInput();
    String topic = args[1];
    Properties settings = new Properties();
    settings.put("bootstrap.servers", args[0]);
    settings.put("client.id", args[2]);
    settings.put("metadata.max.age.ms", args[3]);
    settings.put("isolation.level", "read_committed");
    settings.put("auto.offset.reset", "earliest");
    settings.put("key.deserializer", ByteArrayDeserializer.class);
    settings.put("value.deserializer", ByteArrayDeserializer.class);
    try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings)) {
      List<TopicPartition> assigned = partitionsOf(consumer, topic);
      consumer.assign(assigned);
      consumer.seekToEnd(assigned);
      for (TopicPartition partition : assigned) consumer.position(partition);
      System.out.println("ready");
      while (true) {
        ConsumerRecords<byte[], byte[]> records = consumer.poll(POLL);
        long now = System.currentTimeMillis();
        StringBuilder lines = new StringBuilder();
        for (ConsumerRecord<byte[], byte[]> record : records) {
          lines.append(record.partition()).append(' ').append(record.offset()).append(' ').append(now).append('\n');
        }
        System.out.print(lines);
        System.out.flush();
        assigned = withNewPartitions(consumer, topic, assigned);
      }
    }
  }

  /** From the metadata that it has; a request only if there is none of the topic. */
  private static List<TopicPartition> partitionsOf(KafkaConsumer<?, ?> consumer, String topic) {
    return consumer.partitionsFor(topic).stream().map(each -> new TopicPartition(topic, each.partition())).toList();
  }

  private static List<TopicPartition> withNewPartitions(
      KafkaConsumer<?, ?> consumer, String topic, List<TopicPartition> assigned) {
    List<TopicPartition> found = new ArrayList<>(partitionsOf(consumer, topic));
    found.removeAll(assigned);
    if (found.isEmpty()) return assigned;
    List<TopicPartition> all = new ArrayList<>(assigned);
    all.addAll(found);
    consumer.assign(all);
    consumer.seekToBeginning(found);
    return all;
  }

  /** Standard input ends with whom this works for. */
  private static void endWithInput() {
    Thread thread = new Thread(() -> {
      try {
        while (System.in.read() >= 0) continue;
      } catch (IOException error) {
        // Its end as well.
      }
      Runtime.getRuntime().halt(0);
    });
    thread.setDaemon(true);
    thread.start();
  }
}
