/** Size of a painted picture in pixels. */
const WIDTH = 1600;
const HEIGHT = 1200;
const HILLS = 5;
const STEPS = 60;

/** Returns a number from 0 to 1. */
type Random = () => number;

/** Paints a landscape of hills under a sun, different each time. */
export async function paintLandscape(hue: number, random: Random = Math.random): Promise<Blob | null> {
  const canvas = document.createElement('canvas');
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const brush = canvas.getContext('2d');
  if (!brush) return null;
  const isNight = random() < 0.25;
  paintSky(brush, hue, isNight);
  paintSun(brush, hue, random);
  for (let hill = 0; hill < HILLS; hill += 1) {
    brush.fillStyle = `hsl(${hue + 150 + hill * 9} ${48 - hill * 4}% ${(isNight ? 30 : 62) - hill * 9}%)`;
    brush.fill(hillPath(HEIGHT * (0.45 + hill * 0.12), random));
  }
  return await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.9));
}

function paintSky(brush: CanvasRenderingContext2D, hue: number, isNight: boolean): void {
  const sky = brush.createLinearGradient(0, 0, 0, HEIGHT);
  sky.addColorStop(0, `hsl(${hue} 62% ${isNight ? 16 : 60}%)`);
  sky.addColorStop(0.7, `hsl(${hue + 38} 82% ${isNight ? 42 : 84}%)`);
  brush.fillStyle = sky;
  brush.fillRect(0, 0, WIDTH, HEIGHT);
}

function paintSun(brush: CanvasRenderingContext2D, hue: number, random: Random): void {
  brush.fillStyle = `hsl(${hue + 50} 95% 90%)`;
  brush.beginPath();
  brush.arc(WIDTH * (0.2 + 0.6 * random()), HEIGHT * (0.15 + 0.2 * random()), 60 + 90 * random(), 0, 2 * Math.PI);
  brush.fill();
}

/** Returns the outline of a hill, the sum of three waves. */
function hillPath(level: number, random: Random): Path2D {
  const waves = [1, 2.3, 5.1].map((speed) => ({ speed, phase: random() * 7, height: (HEIGHT * 0.07) / speed }));
  const path = new Path2D();
  path.moveTo(0, HEIGHT);
  for (let step = 0; step <= STEPS; step += 1) {
    const at = step / STEPS;
    const lift = waves.reduce((sum, { speed, phase, height }) => sum + height * Math.sin(phase + at * speed * 5), 0);
    path.lineTo(at * WIDTH, level - lift);
  }
  path.lineTo(WIDTH, HEIGHT);
  path.closePath();
  return path;
}
